// A form while one types: what is still missing, rows of tables, what a chosen record brings along, files dropped on a slot.

import { lookups } from "./lookup.js";

export function start(form) {
  const words = JSON.parse(form.dataset.words);
  form.dataset.none = words.nothing;
  rows(form, words);
  const update = missing(form, words);
  if (form.dataset.conditions) {
    import("./conditions.js").then((module) => module.watch(form, JSON.parse(form.dataset.conditions), update));
  }
  form.addEventListener("chosen", (event) => autofill(event, update));
  notices(form);
  drops(form);
  keys(form);
  leaving(form);
}

// -- what is missing ---------------------------------------------------------------------------------------------------

// Lists every required control that is empty; the main button says how many, and never stands still without a word.
function missing(form, words) {
  const box = form.querySelector("[data-missing]");
  const title = box.querySelector("[data-missing-title]");
  const list = box.querySelector("[data-missing-list]");
  const marks = document.querySelectorAll("[data-missing-short]");
  const server = new Map([...form.querySelectorAll("[aria-invalid=true]")].map((control) => [control, reason(control)]));

  function update() {
    const found = [...form.querySelectorAll(".dg-f:not([hidden])")]
      .filter((field) => !field.closest("section[hidden]"))
      .flatMap((field) => {
        const control = field.querySelector("input:not([type=hidden]), select, textarea");
        const starred = field.querySelector(":scope > label .req:not([hidden]), :scope > .lb .req:not([hidden])");
        if (control && server.has(control)) return [{ field, control, note: server.get(control) }];
        return starred && empty(field) ? [{ field, control: control || field, note: words.required }] : [];
      });
    list.replaceChildren(...found.map((each, index) => entry(each, index)));
    title.textContent = found.length ? words.missing.replace("{count}", found.length) : words.none;
    box.classList.toggle("ok", !found.length);
    marks.forEach((mark) => {
      mark.hidden = !found.length;
      mark.textContent = words.short.replace("{count}", found.length);
    });
    return found;
  }

  form.addEventListener("input", (event) => {
    server.delete(event.target);
    event.target.removeAttribute("aria-invalid");
    event.target.classList.remove("bad");
    update();
  });
  form.addEventListener("change", update);
  update();
  return update;
}

function reason(control) {
  return control.closest(".dg-f, td")?.querySelector(".err")?.textContent.trim() || "";
}

function empty(field) {
  if (field.querySelector("[data-rows]")) return !field.querySelector("tbody tr");
  const files = field.querySelector("input[type=file]");
  if (files) return !files.files.length && !field.querySelector("input[name$='~kept']:checked");
  const ticks = field.querySelectorAll("input[type=checkbox], input[type=radio]");
  if (ticks.length) return ![...ticks].some((tick) => tick.checked);
  const control = field.querySelector("input:not([type=hidden]), select, textarea");
  return control ? !control.value.trim() : false;
}

function entry({ field, control, note }, index) {
  const label = field.querySelector("label, .lb");
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = `#${control.id || field.id}`;
  const number = Object.assign(document.createElement("span"), { className: "jn", textContent: index + 1 });
  const text = Object.assign(document.createElement("span"), { className: "sp col" });
  const name = Object.assign(document.createElement("b"), { textContent: label ? label.textContent.replace("*", "").trim() : control.getAttribute("aria-label") });
  text.append(name, Object.assign(document.createElement("span"), { className: "t12 c3", textContent: note }));
  link.append(number, text);
  link.addEventListener("click", (event) => {
    event.preventDefault();
    go(control);
  });
  item.append(link);
  return item;
}

function go(control) {
  control.scrollIntoView({ block: "center" });
  control.focus({ preventScroll: true });
}

// -- tables -------------------------------------------------------------------------------------------------------------

function rows(form, words) {
  form.querySelectorAll("[data-rows]").forEach((table) => {
    const body = table.querySelector("tbody");
    const template = table.querySelector("template");
    const add = table.querySelector("[data-add-row]");
    let next = body.rows.length;
    add?.addEventListener("click", (event) => {
      event.preventDefault();
      const holder = document.createElement("tbody");
      holder.innerHTML = template.innerHTML.replaceAll("{row}", next);
      const row = holder.querySelector("tr");
      row.cells[0].firstChild.textContent = next + 1;
      next += 1;
      body.append(row);
      lookups(row);
      row.querySelector("input:not([type=hidden]), select, textarea")?.focus();
      form.dispatchEvent(new Event("change"));
    });
    body.addEventListener("change", (event) => {
      const row = event.target.closest("tr");
      if (!event.target.matches("[data-remove-row]") || !row) return;
      // A row that was never saved can simply go; one that was is only marked, and goes with saving.
      if (!row.querySelector("input[name$='.id']")) row.remove();
    });
    body.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.defaultPrevented || event.isComposing || !event.target.matches("input")) return;
      event.preventDefault();
      if (event.target.closest("tr") === body.rows[body.rows.length - 1]) add?.click();
    });
  });
}

// -- what a chosen record brings along ------------------------------------------------------------------------------------

async function autofill(event, update) {
  const box = event.target.closest("[data-autofill]");
  if (!box) return;
  const address = new URL(box.dataset.autofill, location.href);
  address.searchParams.set("id", event.detail.id);
  let found = {};
  try {
    const answer = await fetch(address, { headers: { accept: "application/json" } });
    if (answer.ok) found = await answer.json();
  } catch {
    return; // Saving fills the same fields.
  }
  const field = box.closest("[data-field]");
  const prefix = field.dataset.field.includes(".") ? field.dataset.field.replace(/[^.]*$/, "") : "";
  const scope = box.closest("tr") || box.closest("form");
  for (const [name, { value, text }] of Object.entries(found)) put(scope, prefix + name, value, text);
  update();
}

// Fills a control that is empty; what a person typed stays.
function put(scope, name, value, text) {
  const field = scope.querySelector(`[data-field="${CSS.escape(name)}"]`);
  if (!field || !empty(field)) return;
  const lookup = field.querySelector("[data-lookup]");
  if (lookup) {
    const [id, was] = lookup.querySelectorAll("input[type=hidden]");
    id.value = value;
    was.value = text || "";
    lookup.querySelector("[role=combobox]").value = text || "";
  } else {
    const control = field.querySelector("input:not([type=hidden]), select, textarea");
    if (control && control.type !== "checkbox" && control.type !== "file") control.value = value;
  }
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

// -- what one should know of what is chosen -------------------------------------------------------------------------------

function notices(form) {
  const place = form.querySelector("[data-notices]");
  if (!place.dataset.notices) return;
  const source = new URL(place.dataset.notices, location.href);
  const names = source.searchParams.get("on").split(",");
  const chosen = () => names.map((name) => form.querySelector(`[data-field="${CSS.escape(name)}"] [data-lookup] > input[type=hidden]`)?.value || "");
  let asked = chosen().join();
  form.addEventListener("change", async () => {
    const ids = chosen();
    if (ids.join() === asked) return;
    asked = ids.join();
    const address = new URL(source);
    names.forEach((name, index) => ids[index] && address.searchParams.set(name, ids[index]));
    try {
      const answer = await fetch(address);
      if (answer.ok && asked === ids.join()) place.innerHTML = await answer.text();
    } catch {
      // The same notices stand on the record's page.
    }
  });
}

// -- files ------------------------------------------------------------------------------------------------------------------

function drops(form) {
  form.querySelectorAll(".drop-here").forEach((slot) => {
    const input = slot.querySelector("input[type=file]");
    const label = slot.querySelector("span");
    const says = label.textContent;
    for (const name of ["dragenter", "dragover"]) slot.addEventListener(name, () => slot.classList.add("over"));
    for (const name of ["dragleave", "drop"]) slot.addEventListener(name, () => slot.classList.remove("over"));
    input.addEventListener("change", () => {
      label.textContent = [...input.files].map((file) => file.name).join("、") || says;
      slot.classList.remove("empty");
    });
  });
}

// -- keys and leaving ----------------------------------------------------------------------------------------------------------

function keys(form) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && (event.key === "Enter" || event.key === "s")) {
      event.preventDefault();
      form.requestSubmit();
    } else if (event.key === "F8") {
      event.preventDefault();
      form.querySelector("[data-missing-list] a")?.click();
    }
  });
}

// What was typed and not saved is not lost by a slip.
function leaving(form) {
  let touched = false;
  form.addEventListener("input", () => (touched = true));
  form.addEventListener("submit", () => (touched = false));
  addEventListener("beforeunload", (event) => {
    if (touched) event.preventDefault();
  });
}
