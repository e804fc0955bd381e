// Files are sent as soon as they are chosen: each with its progress, a picture of it, a way to send it again or take it out.
// Saving waits for those that are still on their way.

import { icon } from "./form.js";

export function uploads(form, words, state) {
  const pending = new Set();
  let submit = false;
  const slots = [...form.querySelectorAll("[data-upload]")].map((slot) => new Slot(slot, { form, words, state, pending, done }));
  // Rows that come later bring their own.
  new MutationObserver(() => form.querySelectorAll("[data-upload]:not([data-slot])").forEach((slot) => slots.push(new Slot(slot, { form, words, state, pending, done }))))
    .observe(form, { childList: true, subtree: true });

  function done() {
    const moving = [...pending].some((each) => each.moving);
    if (submit && !moving) {
      submit = false;
      form.requestSubmit();
    }
  }
  state.hold(() => {
    const moving = [...pending].filter((each) => each.moving).length;
    submit = moving > 0;
    if (moving) document.querySelector("[data-draft-said]").textContent = words.uploading.replace("{count}", moving);
    return moving > 0;
  });
}

class Slot {
  constructor(slot, form) {
    slot.dataset.slot = "true";
    Object.assign(this, form);
    this.slot = slot;
    this.label = slot.querySelector(".drop-here");
    this.input = this.label.querySelector("input[type=file]");
    for (const name of ["dragenter", "dragover"]) this.label.addEventListener(name, () => this.label.classList.add("over"));
    for (const name of ["dragleave", "drop"]) this.label.addEventListener(name, () => this.label.classList.remove("over"));
    this.input.addEventListener("change", () => this.take(this.input));
    const camera = slot.querySelector("[data-camera]");
    if (camera && matchMedia("(pointer: coarse)").matches) {
      camera.closest("label").hidden = false;
      camera.addEventListener("change", () => this.take(camera));
    }
    const pad = slot.parentElement.querySelector("[data-sign]");
    if (pad) import("./signature.js").then((module) => module.signature(pad, (file) => this.send(file)));
    slot.addEventListener("change", (event) => {
      if (event.target.matches("[name$='~kept']") && !event.target.checked && event.target.dataset.fresh) this.forget(event.target);
    });
  }

  take(input) {
    const files = [...input.files];
    input.value = ""; // They go by themselves; the form must not carry them a second time.
    files.slice(0, this.slot.dataset.many ? files.length : 1).forEach((file) => this.send(file));
  }

  send(file) {
    if (!this.slot.dataset.many) this.slot.querySelectorAll("[data-sending], .dg-file:has([name$='~kept'])").forEach((each) => this.clear(each));
    const tile = Object.assign(document.createElement("span"), { className: "dg-file up" });
    tile.dataset.sending = "";
    const name = Object.assign(document.createElement("span"), { className: "el sp", textContent: file.name });
    const note = Object.assign(document.createElement("span"), { className: "c3 t12 nw", textContent: "0%" });
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", `${file.name} ${this.words.progress.replace("{percent}", "")}`);
    tile.append(picture(file), name, note, bar);
    this.slot.insertBefore(tile, this.slot.querySelector("label.dg-file"));
    const upload = { moving: true, request: null };
    this.pending.add(upload);
    tile.upload = upload;
    this.go(file, tile, upload, bar, note);
  }

  go(file, tile, upload, bar, note) {
    const request = (upload.request = new XMLHttpRequest());
    upload.moving = true;
    tile.classList.remove("bad");
    bar.hidden = false;
    const body = new FormData();
    body.set("csrf", this.form.elements.csrf.value);
    body.set("file", file, file.name);
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      bar.value = (event.loaded / event.total) * 100;
      note.textContent = `${Math.round(bar.value)}%`;
    });
    request.addEventListener("loadend", () => {
      upload.moving = false;
      let answer = {};
      try {
        answer = JSON.parse(request.responseText);
      } catch {
        // Whoever answered was not the server.
      }
      if (request.status === 201) this.kept(tile, answer);
      else if (request.status !== 0 || tile.isConnected) this.failed(file, tile, upload, bar, note, answer.error);
      this.done();
    });
    request.open("POST", this.slot.dataset.upload);
    request.send(body);
    this.state.update();
  }

  kept(tile, answer) {
    this.pending.delete(tile.upload);
    delete tile.dataset.sending;
    tile.classList.remove("up");
    const link = Object.assign(document.createElement("a"), { className: "el sp", href: answer.href, textContent: answer.name });
    const note = Object.assign(document.createElement("span"), { className: "c3 t12 nw", textContent: answer.note });
    const keep = Object.assign(document.createElement("label"), { className: "keep", title: this.words.remove.replace("{name}", answer.name) });
    const tick = Object.assign(document.createElement("input"), { type: "checkbox", name: `${this.slot.dataset.name}~kept`, value: answer.id, checked: true });
    tick.dataset.fresh = "true";
    keep.append(tick, Object.assign(document.createElement("span"), { className: "dg-sr", textContent: keep.title }), icon("x"));
    tile.replaceChildren(tile.firstChild, link, note, keep);
    this.changed();
  }

  failed(file, tile, upload, bar, note, why) {
    tile.classList.add("bad");
    bar.hidden = true;
    note.textContent = why || this.words.failed;
    note.setAttribute("role", "alert");
    note.title = note.textContent;
    tile.querySelectorAll("button").forEach((each) => each.remove());
    const again = Object.assign(document.createElement("button"), { type: "button", className: "dg-btn s", textContent: this.words.retry });
    again.addEventListener("click", () => {
      tile.querySelectorAll("button").forEach((each) => each.remove());
      this.go(file, tile, upload, bar, note);
    });
    const out = Object.assign(document.createElement("button"), { type: "button", className: "keep" });
    out.setAttribute("aria-label", this.words.remove.replace("{name}", file.name));
    out.append(icon("x"));
    out.addEventListener("click", () => {
      this.clear(tile);
      this.changed();
    });
    tile.append(again, out);
    delete tile.dataset.sending;
    this.state.update();
  }

  // A file that belongs to nothing yet is forgotten when it is taken out.
  forget(tick) {
    const tile = tick.closest(".dg-file");
    const body = new FormData();
    body.set("csrf", this.form.elements.csrf.value);
    body.set("id", tick.value);
    fetch(this.slot.dataset.upload.replace(/files\/[^/]*$/, "unfile"), { method: "POST", body }).catch(() => {});
    tile.remove();
    this.changed();
  }

  clear(tile) {
    const tick = tile.querySelector("[name$='~kept']");
    if (tile.upload) {
      this.pending.delete(tile.upload);
      tile.upload.moving = false;
      tile.upload.request?.abort();
    }
    if (tick?.dataset.fresh) this.forget(tick);
    else if (tick) tick.checked = false;
    else tile.remove();
  }

  changed() {
    const held = this.slot.querySelector("[name$='~kept']:checked, [data-sending]");
    this.slot.querySelectorAll("label.dg-file").forEach((label) => {
      if (held) label.classList.replace("empty", "free");
    });
    this.slot.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function picture(file) {
  if (!file.type.startsWith("image/")) return icon("file");
  const image = Object.assign(document.createElement("img"), { className: "thumb", alt: "", width: 28, height: 28, src: URL.createObjectURL(file) });
  image.addEventListener("error", () => image.replaceWith(icon("photo")));
  return image;
}
