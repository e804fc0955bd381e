// Whether what is typed fits, asked from the server, which will read it the same way when the form is saved.

const PAUSE = 600;

export function checks(form, state) {
  const timers = new WeakMap();
  const asked = new WeakMap();

  async function ask(control) {
    clearTimeout(timers.get(control));
    const text = control.value;
    if (asked.get(control) === text) return;
    asked.set(control, text);
    if (!text.trim()) return note(control, "");
    const found = await check(form, new Map([[control.name, text]]));
    const answer = found?.[control.name];
    if (!answer || control.value !== text) return;
    if (answer.error || control.getAttribute("aria-invalid")) state.tell(control, answer.error || "");
    note(control, answer.note || "");
  }

  form.addEventListener("input", (event) => {
    if (!event.target.matches("[data-check]")) return;
    clearTimeout(timers.get(event.target));
    timers.set(event.target, setTimeout(() => ask(event.target), PAUSE));
  });
  form.addEventListener("focusout", (event) => {
    if (event.target.matches("[data-check]") && asked.get(event.target) !== event.target.value && event.target.value !== event.target.defaultValue) ask(event.target);
  });
  // What was typed before this was loaded.
  form.querySelectorAll("input[data-check]").forEach((control) => { if (control.value !== control.defaultValue) ask(control); });
}

// The answers for texts by their names; null if nobody answers.
export async function check(form, texts) {
  const body = new FormData();
  body.set("csrf", form.elements.csrf.value);
  texts.forEach((text, name) => body.set(name, text));
  try {
    const answer = await fetch(form.dataset.check, { method: "POST", body });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null; // Saving checks it again.
  }
}

function note(control, text) {
  const field = control.closest(".dg-f, td");
  let hint = field.querySelector("[data-mended]");
  if (!hint && !text) return;
  if (!hint) {
    hint = Object.assign(document.createElement("div"), { className: "hint", role: "status" });
    hint.dataset.mended = "";
    field.append(hint);
  }
  hint.textContent = text;
}
