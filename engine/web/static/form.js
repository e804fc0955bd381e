// A form while one types: what is still missing or wrong, its tabs, what a chosen record brings along, who is alike. What
// only some forms have - tables, files, a signature - is in modules of their own that those forms load.

export function start(form) {
  const words = JSON.parse(form.dataset.words);
  form.dataset.none = words.nothing;
  const state = missing(form, words);
  const update = state.update;
  if (form.querySelector("[data-rows]")) import("./rows.js").then((module) => module.rows(form, words, state));
  if (form.querySelector("[data-upload]")) import("./uploads.js").then((module) => module.uploads(form, words, state));
  if (form.querySelector("[data-tags]")) import("./tags.js").then((module) => module.tags(form, words));
  if (form.dataset.check) import("./check.js").then((module) => module.checks(form, state));
  if (form.dataset.draft) import("./drafts.js").then((module) => module.drafts(form, words));
  if (window.SpeechRecognition || window.webkitSpeechRecognition) import("./voice.js").then((module) => module.voice(form, words));
  tabs(form, state);
  if (form.dataset.conditions) {
    import("./conditions.js").then((module) => module.watch(form, JSON.parse(form.dataset.conditions), update));
  }
  form.addEventListener("chosen", (event) => autofill(event, update));
  notices(form);
  alike(form);
  keys(form);
  leaving(form);
}

// -- what is missing ---------------------------------------------------------------------------------------------------

// Lists every required control that is empty and every one that holds what does not fit. The main button says how many; it
// leads to the first, and sends the form all the same when it is pressed again: the server has the last word.
function missing(form, words) {
  const box = form.querySelector("[data-missing]");
  const title = box.querySelector("[data-missing-title]");
  const list = box.querySelector("[data-missing-list]");
  const marks = document.querySelectorAll("[data-missing-short]");
  const wrong = new Map([...form.querySelectorAll("[aria-invalid=true]")].map((control) => [control, reason(control)]));
  const watchers = [];
  const waits = [];
  let tried = false; // the main button was pressed, and nothing typed since

  function found() {
    const fields = [...form.querySelectorAll(".dg-f:not([hidden])")].filter((field) => !field.closest("section[hidden]"));
    return fields.flatMap((field) => {
      const control = main(field);
      const starred = field.querySelector(":scope > label .req:not([hidden]), :scope > .lb .req:not([hidden])");
      const own = control && wrong.has(control) && !control.closest("td") ? [{ field, control, note: wrong.get(control) }] : starred && empty(field) ? [{ field, control: control || field, note: words.required }] : [];
      return [...own, ...[...field.querySelectorAll("tbody tr")].flatMap((row, index) => ofRow(row, index))];
    });
  }

  function ofRow(row, index) {
    if (row.querySelector("[data-remove-row]:checked")) return [];
    const cells = [...row.querySelectorAll("td[data-field]")];
    const blank = cells.every((cell) => empty(cell) || !main(cell) || main(cell).matches("select, [type=checkbox]") || main(cell).value === main(cell).defaultValue && !row.querySelector("input[name$='.id']"));
    const place = words.row.replace("{row}", index + 1);
    return cells.flatMap((cell) => {
      const control = main(cell);
      if (!control) return [];
      const note = wrong.get(control) || (control.required && !blank && empty(cell) ? words.required : "");
      return note ? [{ field: cell, control, note, place }] : [];
    });
  }

  function update() {
    const all = found();
    list.replaceChildren(...all.map((each, index) => entry(each, index)));
    title.textContent = all.length ? words.missing.replace("{count}", all.length) : words.none;
    box.classList.toggle("ok", !all.length);
    marks.forEach((mark) => {
      mark.hidden = !all.length;
      mark.textContent = words.short.replace("{count}", all.length);
    });
    const now = new Set(all.map(({ control }) => control));
    form.querySelectorAll("[data-live-err]").forEach((note) => {
      const control = document.getElementById(note.dataset.liveErr);
      if (!control || !now.has(control)) unmark(control, note);
    });
    watchers.forEach((watch) => watch(all));
    return all;
  }

  // What does not fit is said below its control; an empty text takes that back.
  function tell(control, text) {
    if (text) {
      wrong.set(control, text);
      mark(control, text);
    } else {
      wrong.delete(control);
      unmark(control, control.closest(".dg-f, td")?.querySelector(`[data-live-err="${CSS.escape(control.id)}"]`));
    }
    update();
  }

  form.addEventListener("input", (event) => {
    tried = false;
    wrong.delete(event.target);
    event.target.removeAttribute("aria-invalid");
    event.target.classList.remove("bad");
    update();
  });
  form.addEventListener("change", update);
  // Whoever leaves a required control empty is told so there; before that nothing is red that he has not come to yet.
  form.addEventListener("focusout", (event) => {
    const each = found().find(({ control }) => control === event.target);
    if (each && !form.dataset.sent) mark(each.control, each.note);
  });
  form.addEventListener("submit", (event) => {
    if (event.submitter?.name === "~add") return;
    const all = update();
    if (all.length && !tried) {
      tried = true;
      event.preventDefault();
      all.forEach(({ control, note }) => mark(control, note));
      state.go(all[0].control);
    } else if (waits.some((wait) => wait())) event.preventDefault();
  });
  update();
  const state = { update, tell, watch: (each) => (watchers.push(each), each(found())), hold: (each) => waits.push(each), go: (control) => go(control), opens: () => {} };
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    const control = link && document.getElementById(link.hash.slice(1));
    if (!control) return;
    event.preventDefault();
    state.go(control);
  });
  return state;
}

export function main(field) {
  return field.querySelector("[role=combobox], input:not([type=hidden], [data-camera], [data-sign-typed], [name$='~kept']), select, textarea");
}

function mark(control, text) {
  const field = control.closest("td[data-field], .dg-f");
  if (!field || !control.id) return;
  let note = field.querySelector(`[data-live-err="${CSS.escape(control.id)}"]`);
  const said = reason(control);
  if (!note) {
    if (said) return;
    note = Object.assign(document.createElement("div"), { className: "err", id: `${control.id}-live` });
    note.dataset.liveErr = control.id;
    note.append(icon("alert"), document.createElement("span"));
    field.append(note);
  }
  note.lastChild.textContent = text;
  control.setAttribute("aria-invalid", "true");
  control.setAttribute("aria-errormessage", note.id);
  if (control.matches(".dg-in")) control.classList.add("bad");
  field.classList.add(field.matches("td") ? "cellbad" : "bad");
}

function unmark(control, note) {
  const field = (note || control)?.closest("td[data-field], .dg-f");
  note?.remove();
  control?.removeAttribute("aria-invalid");
  control?.removeAttribute("aria-errormessage");
  control?.classList.remove("bad");
  if (field && !field.querySelector(".err")) field.classList.remove("cellbad", "bad");
}

// An icon of the sprite that the page has already drawn something from.
export function icon(name) {
  const sprite = document.querySelector("svg.dg-i use").getAttribute("href").split("#")[0];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "dg-i s");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#i-${name}`);
  svg.append(use);
  return svg;
}

function reason(control) {
  return control.closest(".dg-f, td")?.querySelector(".err")?.textContent.trim() || "";
}

export function empty(field) {
  if (field.querySelector("[data-rows]")) return !field.querySelector("tbody tr");
  const files = field.querySelector("input[type=file]:not([data-camera])");
  if (files) return !files.files.length && !field.querySelector("input[name$='~kept']:checked, [data-sending]");
  const ticks = field.querySelectorAll("input[type=checkbox], input[type=radio]");
  if (ticks.length) return ![...ticks].some((tick) => tick.checked);
  const control = main(field);
  return control ? !control.value.trim() : false;
}

function entry({ field, control, note, place }, index) {
  const label = field.querySelector("label, .lb");
  const item = document.createElement("li");
  const link = document.createElement("a");
  link.href = `#${control.id || field.id}`;
  const number = Object.assign(document.createElement("span"), { className: "jn", textContent: index + 1 });
  const text = Object.assign(document.createElement("span"), { className: "sp col" });
  const own = field.dataset.label || (label ? label.textContent.replace("*", "").trim() : control.getAttribute("aria-label"));
  const name = Object.assign(document.createElement("b"), { textContent: place ? `${place} ${own}` : own });
  text.append(name, Object.assign(document.createElement("span"), { className: "t12 c3", textContent: note }));
  link.append(number, text);
  item.append(link);
  return item;
}

function go(control) {
  control.scrollIntoView({ block: "center" });
  control.focus({ preventScroll: true });
}

// -- tabs ---------------------------------------------------------------------------------------------------------------

// One page of the form at a time, each with the number of what is missing there. Without a script all stand below each other.
function tabs(form, state) {
  const links = [...form.querySelectorAll("[data-tab], [data-part]")];
  if (!links.length) return;
  const names = new Map(links.map((link) => [link, (link.dataset.sections || link.dataset.part).split(" ")]));
  const paged = links.some((link) => link.dataset.tab);
  function open(chosen) {
    links.forEach((link) => (link === chosen ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current")));
    if (!paged) return;
    const here = names.get(chosen);
    form.querySelectorAll("[data-section]").forEach((section) => section.classList.toggle("away", !here.includes(section.dataset.section)));
  }
  links.forEach((link) => link.addEventListener("click", (event) => {
    if (paged) event.preventDefault();
    open(link);
  }));
  const jump = state.go;
  state.go = (control) => {
    const section = control.closest("[data-section]");
    const link = section && links.find((each) => names.get(each).includes(section.dataset.section));
    if (link) open(link);
    jump(control);
  };
  state.watch((all) => {
    for (const link of links) {
      const count = all.filter(({ field }) => names.get(link).includes(field.closest("[data-section]")?.dataset.section)).length;
      const badge = link.querySelector("[data-tab-missing]");
      badge.hidden = !count;
      badge.textContent = count;
      const section = link.dataset.part && form.querySelector(`[data-section="${CSS.escape(link.dataset.part)}"]`);
      if (section) link.hidden = section.hidden;
    }
  });
  const first = links.find((link) => +link.querySelector("[data-tab-missing]").textContent && form.querySelector("[aria-invalid=true]")) || links[0];
  open(paged ? first : links[0]);
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

// -- who is alike -----------------------------------------------------------------------------------------------------------

// Records that are probably the same as what is being typed, asked once one pauses.
function alike(form) {
  const place = form.querySelector("[data-alike]");
  if (!place?.dataset.alike) return;
  const names = new URL(place.dataset.alike, location.href).searchParams.get("on").split(",");
  const controls = () => names.map((name) => [name, form.querySelector(`[data-field="${CSS.escape(name)}"]`)]).filter(([, field]) => field);
  const told = () => controls().map(([name, field]) => [name, (field.querySelector("[data-lookup] > input[type=hidden]") || main(field))?.value.trim() || ""]);
  const begun = JSON.stringify(told());
  let asked = begun;
  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 500);
  });
  form.addEventListener("change", ask);
  async function ask() {
    const values = told();
    const now = JSON.stringify(values);
    if (now === asked) return;
    asked = now;
    const body = new FormData();
    body.set("csrf", form.elements.csrf.value);
    values.forEach(([name, value]) => body.set(name, value));
    try {
      const answer = await fetch(place.dataset.alike, { method: "POST", body });
      if (answer.ok && asked === now) place.innerHTML = await answer.text();
    } catch {
      asked = ""; // Saving says the same.
    }
  }
}

// -- keys and leaving ----------------------------------------------------------------------------------------------------------

function keys(form) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if ((event.ctrlKey || event.metaKey) && (event.key === "Enter" || event.key === "s")) {
      event.preventDefault();
      (document.querySelector("dialog[open] form") || form).requestSubmit();
    } else if (event.key === "F8") {
      event.preventDefault();
      const links = [...form.querySelectorAll("[data-missing-list] a")];
      const at = links.findIndex((link) => link.hash === `#${document.activeElement.id}`);
      links[(at + 1) % links.length]?.click();
    }
  });
}

// What was typed and not saved is not lost by a slip.
function leaving(form) {
  let touched = false;
  form.addEventListener("input", () => (touched = true));
  form.addEventListener("submit", (event) => setTimeout(() => event.defaultPrevented || (touched = false)));
  addEventListener("beforeunload", (event) => {
    if (touched) event.preventDefault();
  });
}
