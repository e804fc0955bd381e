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
  if (event.key === "j" || event.key === "k") return step(event);
  const wanted = document.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (wanted) {
    event.preventDefault();
    if (wanted.matches("input")) wanted.focus();
    else wanted.click();
  }
});

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

lookups(document);

finding();

if (document.querySelector("#asking")) import("./looks.js");

if (document.querySelector("[data-cells]")) import("./cells.js");

if (document.querySelector("#board")) import("./board.js");

if (document.querySelector("#days[data-movable]")) import("./days.js");

if (document.querySelector("#record")) import("./form.js").then((module) => module.start(document.querySelector("#record")));
