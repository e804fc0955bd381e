// A public form while one answers it: live conditions, what is missing said before sending, sent once, the height of a frame.

const form = document.querySelector("#guest");

if (form) {
  if (form.dataset.conditions) {
    import("./conditions.js").then((module) => module.watch(form, JSON.parse(form.dataset.conditions), () => {}));
  }
  form.querySelectorAll("input[type=tel]").forEach((control) => (control.autocomplete = "tel"));
  form.querySelectorAll("input[type=email]").forEach((control) => (control.autocomplete = "email"));
  form.addEventListener("submit", send);
  form.addEventListener("input", (event) => calm(event.target.closest("[data-field]")));
  form.addEventListener("change", (event) => chosen(event.target));
  const box = form.querySelector("[data-wrong-box]");
  if (!box.hidden) box.focus();
}

function send(event) {
  if (form.dataset.sent) return event.preventDefault();
  const found = [...form.querySelectorAll("[data-field]:not([hidden])")].filter((field) => !field.closest("section[hidden]") && lacking(field));
  if (!found.length) return void (form.dataset.sent = "true");
  event.preventDefault();
  const box = form.querySelector("[data-wrong-box]");
  box.querySelector("[data-wrong-title]").textContent = form.dataset.wrong.replace("{count}", found.length);
  box.querySelector("[data-wrong-list]").replaceChildren(...found.map(entry));
  box.hidden = false;
  found.forEach((field) => mark(field));
  const first = found[0].querySelector("input:not([type=hidden]), select, textarea");
  first.scrollIntoView({ block: "center" });
  first.focus({ preventScroll: true });
}

// Required, shown and empty.
function lacking(field) {
  const starred = field.querySelector(".req:not([hidden])");
  if (!starred) return false;
  const files = field.querySelector("input[type=file]");
  if (files) return !files.files.length;
  const ticks = field.querySelectorAll("input[type=checkbox], input[type=radio]");
  if (ticks.length) return ![...ticks].some((tick) => tick.checked);
  const control = field.querySelector("input:not([type=hidden]), select, textarea");
  return control ? !control.value.trim() : false;
}

function entry(field) {
  const control = field.querySelector("input:not([type=hidden]), select, textarea");
  const item = document.createElement("li");
  const link = Object.assign(document.createElement("a"), { href: `#${control.id}`, textContent: name(field) });
  item.append(link);
  return item;
}

function name(field) {
  return field.querySelector("label, .lb").textContent.replace("*", "").trim();
}

function mark(field, why = form.dataset.required) {
  calm(field);
  const control = field.querySelector("input:not([type=hidden]), select, textarea");
  control.setAttribute("aria-invalid", "true");
  field.classList.add("bad");
  const words = Object.assign(document.createElement("div"), { className: "err", textContent: why });
  words.id = `${control.id}-lacks`;
  control.setAttribute("aria-describedby", words.id);
  field.append(words);
}

function calm(field) {
  if (!field || !field.classList.contains("bad")) return;
  field.classList.remove("bad");
  field.querySelectorAll(".err").forEach((each) => each.remove());
  field.querySelectorAll("[aria-invalid]").forEach((each) => each.removeAttribute("aria-invalid"));
}

function chosen(control) {
  if (control.type !== "file") return;
  const field = control.closest("[data-field]");
  const words = control.parentElement.querySelector("[data-files]");
  calm(field);
  // What the server would refuse after a long way is said before it sets out.
  if ([...control.files].some((file) => file.size > Number(control.dataset.most))) {
    control.value = "";
    mark(field, control.dataset.large);
  }
  words.dataset.empty ??= words.textContent;
  const names = [...control.files].map((file) => file.name);
  words.textContent = names.length > 1 ? words.dataset.files.replace("{count}", names.length) : names[0] ?? words.dataset.empty;
}

addEventListener("pageshow", () => form && delete form.dataset.sent);

if (document.body.classList.contains("framed") && parent !== window) {
  const tell = () => parent.postMessage({ dougongHeight: document.documentElement.scrollHeight }, "*");
  new ResizeObserver(tell).observe(document.querySelector("main"));
  addEventListener("load", tell);
}
