// What others change while one looks at it. A stream is open only while the page is in sight; a lost one comes back slower each time.

const app = document.querySelector("[data-live]");
const note = document.querySelector("#fresh");
const record = document.querySelector("[data-record]");
const looking = document.querySelector(".lists, #board");
const entity = app.dataset.entity;
const on = record ? record.dataset.record : looking && entity && !entity.startsWith("~") ? entity : "";
const told = new Set();
let source = null;
let wait = 1000;
let timer = 0;

function open() {
  if (source || document.hidden) return;
  source = new EventSource(`${app.dataset.live}?on=${encodeURIComponent(on)}`);
  source.addEventListener("open", () => {
    wait = 1000;
    if (record) say(); // what happened before the stream was open, or while the page was out of sight
  });
  source.addEventListener("change", (event) => record ? say() : count(JSON.parse(event.data)));
  source.addEventListener("over", shut);
  source.addEventListener("error", () => {
    shut();
    timer = setTimeout(open, wait * (0.5 + Math.random()));
    wait = Math.min(wait * 2, 60000);
  });
}

function shut() {
  clearTimeout(timer);
  source?.close();
  source = null;
}

function count({ changed, made }) {
  const here = changed.filter((id) => mark(id));
  [...here, ...made].forEach((id) => told.add(id));
  if (!told.size) return;
  const link = Object.assign(document.createElement("a"), { href: location.href, className: "dg-btn s on", textContent: note.dataset.refresh });
  note.replaceChildren(Object.assign(document.createElement("span"), { textContent: note.dataset.words.replace("{count}", told.size) }), link);
}

// The row or card of a record is tinted once; false if it is not on this page.
function mark(id) {
  const row = document.querySelector(`.lists tr:has(a[href$="/${CSS.escape(id)}"]), .kc[data-id="${CSS.escape(id)}"]`);
  row?.classList.remove("fresh");
  void row?.offsetWidth;
  row?.classList.add("fresh");
  return Boolean(row);
}

async function say() {
  const since = new URLSearchParams({ on, since: record.dataset.version });
  try {
    const answer = await fetch(`${app.dataset.live.replace(/my-live$/, "my-changes")}?${since}`);
    if (!answer.ok || answer.redirected) return;
    note.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.children);
  } catch { /* the next event asks again */ }
}

if (on) {
  document.addEventListener("visibilitychange", () => document.hidden ? shut() : open());
  addEventListener("pagehide", shut);
  addEventListener("pageshow", open);
  open();
}
