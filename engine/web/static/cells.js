// Cells of a list that are changed where they stand: double click, F2 or E opens the field's own control; Enter saves, Esc
// gives up, Tab saves and goes on. The server decides; what it refuses is said at the cell.

import { lookups } from "./lookup.js";

const box = document.querySelector("[data-cells]");
const says = document.querySelector("#cell-says");
const narrow = matchMedia("(max-width: 767px)");
let open = null;

const cells = () => [...box.querySelectorAll("td[data-edit]")];
const address = (cell) => `${cell.parentElement.querySelector("td.first a").getAttribute("href")}/cell`;

async function edit(cell) {
  if (open || narrow.matches) return;
  cell.setAttribute("aria-busy", "true");
  let answer = null;
  try {
    answer = await fetch(`${address(cell)}?field=${cell.dataset.edit}`);
  } catch {
    // Without a server there is nothing to edit with.
  }
  cell.removeAttribute("aria-busy");
  if (open) return;
  if (!part(answer, true)) return (says.textContent = box.dataset.failed);
  open = { cell, before: [...cell.childNodes], width: cell.offsetWidth };
  show(await answer.text());
  says.textContent = box.dataset.hint;
}

const part = (answer, fine) => answer && (answer.ok || !fine) && !answer.redirected && (answer.headers.get("content-type") ?? "").includes("html");

function show(html) {
  const { cell, width } = open;
  const form = new DOMParser().parseFromString(html, "text/html").querySelector("form");
  cell.replaceChildren(form);
  cell.classList.add("editing");
  form.style.width = `${Math.max(width, 140)}px`;
  lookups(cell);
  open.version = form.dataset.version;
  open.was = JSON.stringify([...new FormData(form)]);
  const control = form.querySelector("input:not([type=hidden]), select, textarea");
  control?.focus();
  if (control?.select && control.type !== "checkbox") control.select();
  form.addEventListener("submit", (event) => { event.preventDefault(); event.stopPropagation(); save(0); });
}

function close() {
  const { cell, before } = open;
  open = null;
  cell.classList.remove("editing");
  cell.replaceChildren(...before);
  return cell;
}

async function save(step) {
  if (!open || open.saving) return;
  const { cell } = open;
  const form = cell.querySelector("form");
  const body = new FormData(form);
  if (JSON.stringify([...body]) === open.was && !open.refused) return next(close(), step);
  body.set("field", cell.dataset.edit);
  body.set("~version", open.refused ? form.dataset.version : seen(cell) ?? form.dataset.version);
  body.set("csrf", box.dataset.cells);
  body.set("columns", box.dataset.columns);
  if (cell.parentElement.querySelector("[name=row]")) body.set("several", "1");
  open.saving = true;
  cell.setAttribute("aria-busy", "true");
  let answer = null;
  try {
    answer = await fetch(address(cell), { method: "POST", body });
  } catch {
    // Said below; what was typed stays.
  }
  cell.removeAttribute("aria-busy");
  open.saving = false;
  if (!part(answer, false) || answer.status >= 500) return (says.textContent = box.dataset.failed);
  const html = await answer.text();
  if (!answer.ok) {
    if (!html.includes("data-version")) return (says.textContent = box.dataset.failed);
    show(html);
    open.refused = true;
    return;
  }
  const place = cells().indexOf(cell);
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("tr");
  const old = cell.parentElement;
  const ticked = old.querySelector("[name=row]")?.checked;
  open = null;
  old.replaceWith(fresh);
  const tick = fresh.querySelector("[name=row]");
  if (tick) tick.checked = ticked;
  says.textContent = box.dataset.saved;
  const now = cells()[place];
  now?.classList.add("saved");
  if (now) next(now, step);
}

// The version that the list was drawn with: what somebody else has changed since is not written over unseen.
const seen = (cell) => cell.parentElement.querySelector("[name=row]")?.value.split(".")[1];

function next(cell, step) {
  const all = cells();
  const to = step ? all[all.indexOf(cell) + step] : null;
  if (to) edit(to);
  else {
    cell.tabIndex = -1;
    cell.focus();
  }
}

box.addEventListener("dblclick", (event) => {
  const cell = event.target.closest("td[data-edit]");
  if (!cell || cell.classList.contains("editing")) return;
  event.preventDefault();
  edit(cell);
});

box.addEventListener("keydown", (event) => {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (open?.cell.contains(event.target)) {
    if (event.defaultPrevented) return;
    if (event.key === "Escape") says.textContent = "", next(close(), 0);
    else if (event.key === "Tab") save(event.shiftKey ? -1 : 1);
    else if (event.key === "Enter" && !event.target.matches("textarea")) save(0);
    else return event.stopPropagation();
    event.preventDefault();
    event.stopPropagation();
    return;
  }
  const cell = event.target.closest("td[data-edit]") ?? event.target.closest("tr[data-row]")?.querySelector("td[data-edit]");
  if (!cell || event.target.matches("input, select, textarea")) return;
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (event.key === "F2" || event.key === "e" || event.key === "E" || (event.key === "Enter" && event.target === cell)) {
    event.preventDefault();
    edit(cell);
  } else if (step) {
    // From cell to cell of a row, so that the keyboard reaches each that can be changed.
    const row = [...cell.parentElement.querySelectorAll("td[data-edit]")];
    const to = event.target === cell ? row[row.indexOf(cell) + step] : step > 0 ? row[0] : null;
    if (!to) return;
    to.tabIndex = -1;
    to.focus();
    event.preventDefault();
  }
});

// Who clicks elsewhere has finished: what he typed is saved.
document.addEventListener("pointerdown", (event) => {
  if (open && !open.cell.contains(event.target)) save(0);
});
