// What makes the pages quicker to use. Every page works without it: this only adds.

import { finding } from "./find.js";
import { lookups } from "./lookup.js";

// A popover closes when one clicks elsewhere or presses Escape; the focus goes back to what opened it.
const open = () => document.querySelectorAll("details.pop[open]");

document.addEventListener("click", (event) => {
  for (const pop of open()) {
    const outside = !pop.contains(event.target);
    if (outside) pop.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented) {
    const pops = [...open()];
    const inner = pops.at(-1);
    if (inner) {
      inner.open = false;
      inner.querySelector("summary").focus();
      event.preventDefault();
    }
    return;
  }
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.documentElement.dataset.keys === "off" || document.querySelector("dialog[open]")) return;
  if (event.key === "?") return keys(event);
  if (event.key === "j" || event.key === "k") return step(event);
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (wanted) {
    event.preventDefault();
    if (wanted.matches("input")) wanted.focus();
    else wanted.click();
  }
});

// ? shows the keys that do something on this page.
const dialog = document.querySelector("#keys");
function keys(event) {
  if (!dialog) return;
  event.preventDefault();
  dialog.querySelectorAll("[data-needs]").forEach((row) => { row.hidden = !document.querySelector(row.dataset.needs); });
  dialog.showModal();
}
dialog?.addEventListener("click", (event) => { if (event.target === dialog || event.target.closest("[data-close]")) dialog.close(); });

// J and K walk through the rows of a list.
function step(event) {
  const links = [...document.querySelectorAll(".lists td.first a")];
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  const next = event.key === "j" ? Math.min(at + 1, links.length - 1) : Math.max(at - 1, 0);
  links[next].focus();
  event.preventDefault();
}

// Rows that are ticked can be changed together; X ticks the row one is on.
const ticks = () => [...document.querySelectorAll(".lists tbody [name=row]")];
const all = document.querySelector("[data-all]");
function ticked() {
  const rows = ticks();
  const count = rows.filter((row) => row.checked).length;
  const words = document.querySelector("[data-ticked]");
  if (words) words.textContent = words.dataset.ticked.replace("{count}", count);
  all.checked = count === rows.length;
  all.indeterminate = count > 0 && count < rows.length;
}
if (all) {
  all.addEventListener("change", () => {
    ticks().forEach((row) => { row.checked = all.checked; });
    ticked();
  });
  document.addEventListener("change", (event) => { if (event.target.matches("[name=row]")) ticked(); });
  document.addEventListener("keydown", (event) => {
    const row = event.target.closest(".lists tbody tr")?.querySelector("[name=row]");
    if (!row || event.key !== "x" || event.target.matches("input") || event.ctrlKey || event.metaKey || event.altKey) return;
    row.checked = !row.checked;
    ticked();
  });
  ticked();
}

// A lock asks for its reason when it is opened; without an answer the link to it stays.
document.addEventListener("toggle", async (event) => {
  const lock = event.target;
  if (!lock.open || !lock.dataset?.why || lock.dataset.asked) return;
  lock.dataset.asked = "true";
  const address = new URL(lock.dataset.why, location.href);
  const language = new URL(location.href).searchParams.get("language");
  address.searchParams.set("part", "1");
  if (language) address.searchParams.set("language", language);
  try {
    const answer = await fetch(address);
    if (!answer.ok || answer.redirected) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes;
    lock.querySelector(".why-in").replaceChildren(...found);
  } catch {
    delete lock.dataset.asked;
  }
}, true);

// Files given to a gate are sent as soon as they are chosen.
document.addEventListener("change", (event) => {
  if (event.target.matches("input[type=file][data-send]")) event.target.form.submit();
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) return event.preventDefault();
  form.dataset.sent = "true";
  // What may take long says that it is under way. A button that is really disabled would not be sent along.
  if (form.dataset.wait && event.submitter?.value !== "map") waits(form, form.dataset.wait);
});

function waits(form, words) {
  const told = form.querySelector("[data-waiting]");
  if (told) told.textContent = words;
  form.querySelectorAll("button").forEach((button) => words ? button.setAttribute("aria-disabled", "true") : button.removeAttribute("aria-disabled"));
}

addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => {
  delete form.dataset.sent;
  if (form.dataset.wait) waits(form, "");
}));

// Where a bar of stages is wider than the screen, the present one is in sight.
document.querySelectorAll(".dg-stages").forEach((bar) => {
  const now = bar.querySelector("[aria-current=step]");
  if (now) bar.scrollLeft = now.offsetLeft - (bar.clientWidth - now.offsetWidth) / 2;
});

// Which groups of the menu are closed is kept in a cookie, so that the next page comes with them closed.
document.querySelectorAll(".navg").forEach((group) => group.addEventListener("toggle", () => {
  const closed = [...document.querySelectorAll(".navg:not([open])")].map((each) => each.dataset.group);
  document.cookie = `folded=${closed.join(".")}; path=/; max-age=31536000; samesite=lax`;
}));

lookups(document);

finding();

if (document.querySelector("#pairs")) import("./pairs.js").then((module) => module.start(document.querySelector("#pairs")));

if (document.querySelector("#passing")) import("./handover.js").then((module) => module.start(document.querySelector("#passing")));

if (document.querySelector("#board")) import("./board.js");

if (document.querySelector("#record")) import("./form.js").then((module) => module.start(document.querySelector("#record")));

if (document.querySelector("[data-cards]")) import("./home.js");

const shell = document.querySelector("[data-live]");
if (shell && document.querySelector("[data-record], .lists, #board")) import("./live.js");

// The worker shows a page that says so when there is no network.
if (shell && "serviceWorker" in navigator) addEventListener("load", async () => {
  try {
    await navigator.serviceWorker.register("/service-worker.js");
    (await navigator.serviceWorker.ready).active?.postMessage({ offline: shell.dataset.offline });
  } catch { /* without it the browser says so itself */ }
});
