// Choosing a record by typing its name: a combobox after the ARIA pattern, its candidates asked from the server.

const WAIT = 160;

export function lookups(root) {
  root.querySelectorAll("[data-lookup]").forEach((box) => {
    if (!box.dataset.ready) new Lookup(box);
  });
}

class Lookup {
  constructor(box) {
    box.dataset.ready = "true";
    this.box = box;
    this.input = box.querySelector("[role=combobox]");
    this.id = box.querySelector("input[type=hidden]");
    this.was = box.querySelectorAll("input[type=hidden]")[1];
    this.list = box.querySelector("[role=listbox]");
    this.at = -1;
    if (this.input.readOnly) return;
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("click", () => this.ask());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.hide(), 120));
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.choose(option);
    });
  }

  typed() {
    // What was chosen before no longer holds; the name alone is sent until one is chosen.
    this.id.value = "";
    if (this.was) this.was.value = "";
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), WAIT);
    this.changed();
  }

  async ask() {
    const text = this.id.value ? "" : this.input.value.trim();
    const address = new URL(this.box.dataset.lookup, location.href);
    address.searchParams.set("q", text);
    address.searchParams.set("values", JSON.stringify(this.values()));
    const asked = (this.asked = (this.asked || 0) + 1);
    let found = [];
    try {
      const answer = await fetch(address, { headers: { accept: "application/json" } });
      if (answer.ok) found = await answer.json();
    } catch {
      return; // Without a server the name that was typed is still sent with the form.
    }
    if (asked === this.asked && document.activeElement === this.input) this.show(found);
  }

  // The ids chosen so far in this form: candidates may depend on them.
  values() {
    const form = this.input.form;
    const found = {};
    if (!form) return found;
    form.querySelectorAll("[data-lookup] > input[type=hidden]:first-child").forEach((each) => {
      if (each.value && each !== this.id) found[each.name] = each.value;
    });
    return found;
  }

  show(found) {
    this.list.replaceChildren(
      ...found.map((each, index) => {
        const item = document.createElement("li");
        item.role = "option";
        item.id = `${this.list.id}-${index}`;
        item.dataset.id = each.id;
        item.textContent = each.title;
        item.dataset.title = each.title;
        if (each.recent) item.append(Object.assign(document.createElement("span"), { className: "t12 c3 n", textContent: this.words().recent || "" }));
        return item;
      }),
    );
    if (!found.length) {
      const item = document.createElement("li");
      item.className = "c3";
      item.role = "option";
      item.ariaDisabled = "true";
      item.textContent = this.input.closest("form")?.dataset.none || "—";
      this.list.append(item);
    }
    const text = this.id.value ? "" : this.input.value.trim();
    if (this.box.dataset.create && text && !found.some((each) => each.title === text)) {
      const item = document.createElement("li");
      item.role = "option";
      item.id = `${this.list.id}-new`;
      item.className = "new";
      item.dataset.id = "";
      item.dataset.create = text;
      item.textContent = (this.words().create || "+ {name}").replace("{name}", text);
      this.list.append(item);
    }
    this.at = -1;
    this.list.hidden = false;
    this.input.ariaExpanded = "true";
    if (found.length && this.input.value) this.mark(0);
  }

  hide() {
    this.list.hidden = true;
    this.input.ariaExpanded = "false";
    this.input.removeAttribute("aria-activedescendant");
  }

  mark(index) {
    const options = [...this.list.querySelectorAll("[data-id]")];
    if (!options.length) return;
    this.at = (index + options.length) % options.length;
    options.forEach((each, position) => each.setAttribute("aria-selected", position === this.at ? "true" : "false"));
    options[this.at].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", options[this.at].id);
  }

  key(event) {
    if (event.isComposing) return;
    const shown = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!shown) this.ask();
      else this.mark(this.at + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && shown) {
      const chosen = this.list.querySelector("[aria-selected=true]");
      if (chosen) {
        event.preventDefault();
        this.choose(chosen);
      }
    } else if (event.key === "Escape" && shown) {
      event.preventDefault();
      this.hide();
    }
  }

  choose(option) {
    this.hide();
    if (option.dataset.create) {
      import("./create.js").then((module) => module.create(this.box.dataset.create, option.dataset.create, this.input, (id, title) => this.take(id, title)));
      return;
    }
    this.take(option.dataset.id, option.dataset.title);
    this.remember(option.dataset.id);
  }

  take(id, title) {
    this.id.value = id;
    this.input.value = title;
    if (this.was) this.was.value = title;
    this.changed();
    this.box.dispatchEvent(new CustomEvent("chosen", { bubbles: true, detail: { id } }));
  }

  // What was chosen is offered first the next time.
  remember(id) {
    const token = this.input.form?.elements.csrf?.value;
    if (!token) return;
    const address = new URL(this.box.dataset.lookup, location.href);
    const body = new FormData();
    body.set("csrf", token);
    body.set("field", address.searchParams.get("field"));
    body.set("id", id);
    fetch(address.pathname, { method: "POST", body, keepalive: true }).catch(() => {});
  }

  words() {
    try {
      return JSON.parse(this.input.form?.dataset.words || "{}");
    } catch {
      return {};
    }
  }

  changed() {
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
