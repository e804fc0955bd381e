// Live conditions of a form: what shows, what must be filled, what is locked, judged anew at each change by the very
// expressions that the server judges by. Where a control holds what cannot be read yet, the value counts as empty.

import { evaluate } from "./expressions.js";

export function watch(form, given, update) {
  const context = { ...given.context, now: String(BigInt(Date.now()) * 1000n) };
  const fields = new Map();
  for (const name of Object.keys(given.types)) {
    const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
    if (field) fields.set(name, field);
  }

  function judge() {
    const values = { ...given.reads, ...given.values };
    for (const [name, field] of fields) {
      const found = read(field, given.types[name], context.timezone);
      if (found !== undefined) values[name] = found;
    }
    for (const [name, conditions] of Object.entries(given.conditions)) apply(form, name, conditions, values, context);
    update();
  }

  form.addEventListener("input", judge);
  form.addEventListener("change", judge);
  judge();
}

function apply(form, name, conditions, values, context) {
  const holds = (expression) => evaluate(expression, values, context) === true;
  if (name.startsWith("~")) {
    form.querySelector(`[data-section="${CSS.escape(name.slice(1))}"]`).hidden = !holds(conditions.visible);
    return;
  }
  const field = form.querySelector(`[data-field="${CSS.escape(name)}"]`);
  if (!field) return;
  if (conditions.visible) field.hidden = !holds(conditions.visible);
  if (conditions.required) {
    const must = holds(conditions.required) && !field.hidden;
    field.querySelectorAll(":scope > label .req, :scope > .lb .req").forEach((star) => (star.hidden = !must));
    const control = field.querySelector("input:not([type=hidden]), select, textarea");
    if (control && control.type !== "checkbox" && control.type !== "file") control.required = must;
  }
  if (conditions.readonly) {
    const locked = holds(conditions.readonly);
    field.querySelectorAll("input:not([type=hidden]), select, textarea").forEach((control) => {
      if ("readOnly" in control && !["checkbox", "radio", "file"].includes(control.type)) control.readOnly = locked;
      else control.disabled = locked;
      control.classList.toggle("ro", locked);
    });
  }
}

// The stored value of what a control holds; undefined for a control whose value only the server can tell.
function read(field, type, timezone) {
  const lookup = field.querySelector("[data-lookup] > input[type=hidden]");
  if (lookup) return lookup.value || null;
  const boxes = field.querySelectorAll("input[type=checkbox]");
  if (type.kind === "boolean" && boxes.length) return boxes[0].checked;
  if (type.kind === "choices") {
    const chosen = [...boxes].filter((box) => box.checked).map((box) => box.value);
    return chosen.length ? `|${chosen.join("|")}|` : null;
  }
  const control = field.querySelector("input:not([type=hidden], [type=file]), select, textarea");
  if (!control) return undefined;
  const text = control.value.trim();
  if (!text) return null;
  switch (type.kind) {
    case "number": return number(text, type);
    case "boolean": return text === "true";
    case "date": return date(text);
    case "datetime": return datetime(text, timezone);
    case "choice": case "text": return text;
  }
  return undefined;
}

const UNITS = { 千: 3, 万: 4, 亿: 8 };

// What the server makes of a typed number: full-width signs, thousands, 万, %. Null for anything else.
function number(text, { scale, percent }) {
  const plain = text.normalize("NFKC").replace(/[\s,¥$€£]/g, "");
  const found = /^([+-]?)(\d*)(?:\.(\d*))?(千|万|亿)?(%)?$/.exec(plain);
  if (!found || !(found[2] || found[3])) return null;
  const power = scale + (UNITS[found[4]] || 0) - (percent || found[5] ? 2 : 0) - (found[3] || "").length;
  let digits = BigInt(`${found[2]}${found[3] || ""}`);
  if (power >= 0) digits *= 10n ** BigInt(power);
  else {
    const divisor = 10n ** BigInt(-power);
    digits = (digits * 2n + divisor) / (divisor * 2n);
  }
  return String(found[1] === "-" ? -digits : digits);
}

function date(text) {
  const found = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text);
  return found ? String(Date.UTC(found[1], found[2] - 1, found[3]) / 86400000) : null;
}

// A local time of the app's zone as an instant: the guess that it were UTC, put right by the zone's distance there.
function datetime(text, timezone) {
  const guess = Date.parse(`${text}Z`);
  if (Number.isNaN(guess)) return null;
  const clock = new Date(guess).toLocaleString("sv-SE", { timeZone: timezone });
  const distance = Date.parse(`${clock.replace(" ", "T")}Z`) - guess;
  return String(BigInt(guess - distance) * 1000n);
}
