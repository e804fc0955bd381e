// What is typed and not saved is kept: with the server after a pause, on this device while nobody answers.

const PAUSE = 1500;

export function drafts(form, words) {
  const said = document.querySelector("[data-draft-said]");
  const offer = document.querySelector("[data-offer]");
  const local = `draft:${form.dataset.person}:${form.dataset.draft}`;
  let timer = 0;
  let sent = false;
  let last = "";

  function pairs() {
    return [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrf");
  }

  async function send(found) {
    const body = new FormData();
    found.forEach(([name, value]) => body.append(name, value));
    body.set("csrf", form.elements.csrf.value);
    const answer = await fetch(form.dataset.draft, { method: "POST", body });
    if (answer.status >= 500) throw new Error("down");
    if (answer.ok) form.elements["~drafted"].value = "true";
    return answer.ok;
  }

  async function keep() {
    clearTimeout(timer);
    const found = pairs();
    const now = JSON.stringify(found);
    if (sent || now === last) return;
    last = now;
    try {
      const kept = await send(found);
      localStorage.removeItem(local);
      const clock = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
      said.textContent = kept ? `${words.draft_said} ${clock}` : words.draft_lost;
    } catch {
      last = "";
      try {
        localStorage.setItem(local, now);
        said.textContent = words.draft_offline;
      } catch {
        said.textContent = words.draft_lost;
      }
    }
  }

  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(keep, PAUSE);
  };
  form.addEventListener("input", later);
  form.addEventListener("change", (event) => event.target !== form && later());
  form.addEventListener("submit", (event) => setTimeout(() => {
    if (event.defaultPrevented) return;
    sent = true;
    clearTimeout(timer);
    try {
      localStorage.removeItem(local);
    } catch {
      // Where nothing may be kept, nothing was.
    }
  }));
  addEventListener("pageshow", () => (sent = false));
  addEventListener("online", keep);
  document.addEventListener("visibilitychange", () => document.hidden && timer && keep());

  // What this device kept while nobody answered is given to the server, and offered like any other draft.
  try {
    const left = JSON.parse(localStorage.getItem(local) || "null");
    if (left && offer) send(left).then((kept) => {
      form.elements["~drafted"].value = "";
      if (!kept) return;
      localStorage.removeItem(local);
      offer.hidden = false;
    }).catch(() => {});
  } catch {
    // What cannot be read is no draft.
  }
}
