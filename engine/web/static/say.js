// Writing a comment: @ offers the people who may see the record, Ctrl+Enter sends.

const WAIT = 160;

export function saying(root) {
  root.querySelectorAll("form[data-say]").forEach((form, number) => new Saying(form, number));
}

class Saying {
  constructor(form, number) {
    this.form = form;
    this.text = form.querySelector("textarea");
    // Names stand in the text while one writes; what is sent names logins. The longest names are replaced first.
    this.names = new Map((form.dataset.names || "").split("\n").filter(Boolean).map((line) => {
      const space = line.indexOf(" ");
      return [line.slice(space + 1), line.slice(0, space)];
    }));
    for (const [name, login] of this.names) this.text.value = this.text.value.replaceAll(`@[${login}]`, `@${name}`);
    this.list = document.createElement("ul");
    this.list.className = "found men-list";
    this.list.id = `say-people-${number}`;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", document.querySelector("[data-mention-words]")?.dataset.mentionWords || "@");
    this.list.hidden = true;
    this.text.setAttribute("aria-autocomplete", "list");
    this.text.setAttribute("aria-controls", this.list.id);
    this.text.after(this.list);
    this.at = -1;
    this.text.addEventListener("input", () => this.typed());
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("blur", () => setTimeout(() => this.hide(), 120));
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const option = event.target.closest("[role=option]");
      if (option) this.choose(option);
    });
    form.addEventListener("submit", () => {
      const longest = [...this.names].sort((a, b) => b[0].length - a[0].length);
      for (const [name, login] of longest) this.text.value = this.text.value.replaceAll(`@${name}`, `@[${login}]`);
    });
  }

  // What stands between the last @ and the caret; null where nobody is being mentioned.
  word() {
    const found = /(?:^|[^\w@])@([^\s@[\]]{0,20})$/.exec(this.text.value.slice(0, this.text.selectionStart));
    return found ? found[1] : null;
  }

  typed() {
    clearTimeout(this.timer);
    if (this.word() === null) return this.hide();
    this.timer = setTimeout(() => this.ask(), WAIT);
  }

  async ask() {
    const word = this.word();
    if (word === null) return this.hide();
    let people = [];
    try {
      const answer = await fetch(`${this.form.dataset.people}?q=${encodeURIComponent(word)}`);
      if (answer.ok) people = (await answer.json()).people;
    } catch {
      return this.hide();
    }
    if (word !== this.word()) return;
    this.list.replaceChildren(...people.map((person, number) => {
      const option = document.createElement("li");
      option.id = `${this.list.id}-${number}`;
      option.setAttribute("role", "option");
      option.dataset.login = person.login;
      option.dataset.name = person.name;
      const login = document.createElement("span");
      login.className = "c3 t12";
      login.textContent = person.login;
      option.append(person.name, " ", login);
      return option;
    }));
    this.list.hidden = !people.length;
    this.mark(people.length ? 0 : -1);
  }

  mark(at) {
    this.at = at;
    [...this.list.children].forEach((option, number) => option.setAttribute("aria-selected", String(number === at)));
    const option = this.list.children[at];
    if (option) {
      this.text.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({ block: "nearest" });
    } else this.text.removeAttribute("aria-activedescendant");
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return this.form.requestSubmit(this.form.querySelector("button"));
    }
    if (this.list.hidden) return;
    const count = this.list.children.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.mark((this.at + (event.key === "ArrowDown" ? 1 : count - 1)) % count);
    } else if (event.key === "Enter" || event.key === "Tab") {
      this.choose(this.list.children[this.at]);
    } else if (event.key === "Escape") {
      this.hide();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  choose(option) {
    const caret = this.text.selectionStart, word = this.word();
    if (!option || word === null) return this.hide();
    this.names.set(option.dataset.name, option.dataset.login);
    this.text.setRangeText(`@${option.dataset.name} `, caret - word.length - 1, caret, "end");
    this.hide();
    this.text.focus();
  }

  hide() {
    this.list.hidden = true;
    this.mark(-1);
  }
}
