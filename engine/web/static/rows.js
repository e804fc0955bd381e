// Tables inside a form: rows come and go by keys, and a block of cells copied from a spreadsheet fills them.

import { check } from "./check.js";
import { main } from "./form.js";
import { lookups } from "./lookup.js";

const MOST = 500;
// What a spreadsheet writes for yes, in either language.
const YES = /^(是|有|对|√|✓|1|y|yes|true|t)$/i;

export function rows(form, words, state) {
  form.querySelectorAll("[data-rows]").forEach((table) => new Rows(form, table, words, state));
}

class Rows {
  constructor(form, table, words, state) {
    Object.assign(this, { form, table, words, state });
    this.body = table.querySelector("tbody");
    this.template = table.querySelector("template");
    this.next = this.body.rows.length;
    if (!this.template) return;
    table.querySelector("[data-add-row]").addEventListener("click", (event) => {
      event.preventDefault();
      this.first(this.add())?.focus();
      this.changed();
    });
    this.body.addEventListener("change", (event) => {
      if (event.target.matches("[data-remove-row]")) this.remove(event.target.closest("tr"));
    });
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.body.addEventListener("paste", (event) => this.paste(event));
  }

  add() {
    const holder = document.createElement("tbody");
    holder.innerHTML = this.template.innerHTML.replaceAll("{row}", this.next);
    const row = holder.querySelector("tr");
    this.next += 1;
    this.body.append(row);
    this.number();
    lookups(row);
    return row;
  }

  // A row that was never saved can simply go; one that was is only marked, and goes with saving.
  remove(row) {
    if (row.querySelector("input[name$='.id']")) return;
    row.remove();
    this.number();
    this.changed();
  }

  number() {
    [...this.body.rows].forEach((row, index) => (row.cells[0].firstChild.textContent = index + 1));
  }

  changed() {
    this.form.dispatchEvent(new Event("change"));
  }

  controls(row) {
    return [...row.querySelectorAll("td[data-field]")].map(main).filter((each) => each && !each.readOnly && !each.disabled && each.type !== "file");
  }

  first(row) {
    return this.controls(row)[0];
  }

  key(event) {
    const control = event.target;
    const row = control.closest("tr");
    if (event.defaultPrevented || event.isComposing || !control.matches("input, select, textarea")) return;
    const list = [...this.body.rows];
    const at = list.indexOf(row);
    const column = this.controls(row).indexOf(control);
    if (event.key === "Delete" && event.altKey) {
      event.preventDefault();
      const gone = row.querySelector("[data-remove-row]");
      gone.checked = !gone.checked;
      const other = list[at + 1] || list[at - 1];
      gone.dispatchEvent(new Event("change", { bubbles: true }));
      if (!row.isConnected) (other ? this.controls(other)[Math.max(column, 0)] : this.table.querySelector("[data-add-row]"))?.focus();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || column < 0) return;
    const typed = control.matches("input:not([type=checkbox])");
    if (event.key === "Enter" && (typed || control.matches("[type=checkbox]"))) {
      event.preventDefault();
      if (at < list.length - 1) this.enter(list[at + 1], column);
      else {
        this.first(this.add())?.focus();
        this.changed();
      }
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && typed && !control.matches("[role=combobox], [type=date], [type=datetime-local]")) {
      const other = list[at + (event.key === "ArrowDown" ? 1 : -1)];
      if (!other) return;
      event.preventDefault();
      this.enter(other, column);
    }
  }

  enter(row, column) {
    const control = this.controls(row)[column];
    control?.focus();
    if (control?.select) control.select();
  }

  // One cell is pasted as ever; a block goes on to the right and downwards from where one stands, in new rows where needed.
  async paste(event) {
    const text = event.clipboardData?.getData("text/plain") || "";
    const block = cells(text);
    const row = event.target.closest("tr");
    const start = this.controls(row).indexOf(event.target);
    if (start < 0 || (block.length < 2 && block[0].length < 2)) return;
    event.preventDefault();
    const given = new Map();
    const texts = new Map();
    const list = [...this.body.rows];
    let at = list.indexOf(row);
    let left = 0;
    for (const values of block) {
      const here = list[at] || (list.length < MOST ? this.add() : null);
      if (!here) {
        left += values.length;
        continue;
      }
      if (!list[at]) list.push(here);
      at += 1;
      const controls = this.controls(here).slice(start);
      left += values.slice(controls.length).filter((value) => value.trim()).length;
      values.slice(0, controls.length).forEach((value, index) => {
        const control = controls[index];
        if (control.matches("select, [type=checkbox]")) put(control, value.trim(), this);
        else {
          if (!control.matches("[type=date], [type=datetime-local]")) control.value = value.trim();
          const id = control.closest("[data-lookup]")?.querySelector("input[type=hidden]");
          if (id) id.value = "";
          given.set(control.name.replace(/~text$/, ""), [control, value.trim()]);
          texts.set(control.name, value.trim());
        }
      });
    }
    const count = block.reduce((sum, values) => sum + values.length, 0) - left;
    this.changed();
    const found = texts.size ? await check(this.form, texts) : {};
    for (const [name, [control, value]] of given) {
      const answer = found?.[name];
      if (!answer) continue;
      if (answer.error) this.state.tell(control, answer.error);
      else if (control.matches("[role=combobox]")) {
        const [id, was] = control.closest("[data-lookup]").querySelectorAll("input[type=hidden]");
        id.value = answer.value;
        was.value = control.value = answer.text;
        this.state.tell(control, "");
        if (answer.value) control.closest("[data-lookup]").dispatchEvent(new CustomEvent("chosen", { bubbles: true, detail: { id: answer.value } }));
      } else {
        if (control.value === value || !control.value) control.value = answer.text;
        this.state.tell(control, "");
      }
    }
    this.changed();
    const bad = this.body.querySelectorAll("[data-live-err]").length;
    const told = [this.words.pasted.replace("{count}", count)];
    if (bad) told.push(this.words.pasted_bad.replace("{count}", bad));
    if (left) told.push(this.words.pasted_left.replace("{count}", left));
    this.table.querySelector("[data-pasted]").textContent = told.join(" ");
  }
}

function put(control, value, { state, words }) {
  if (control.type === "checkbox") {
    control.checked = YES.test(value);
    return;
  }
  const option = [...control.options].find((each) => each.value === value || each.textContent.trim() === value);
  if (option) control.value = option.value;
  if (option || !value) state.tell(control, "");
  else state.tell(control, `${words.nothing} ${value}`);
}

// The cells of what a spreadsheet copies: tabs between columns, quotes around what holds a line break.
function cells(text) {
  const block = [[""]];
  let quoted = false;
  const plain = text.replace(/\r\n?/g, "\n").replace(/\n$/, "");
  for (let at = 0; at < plain.length; at += 1) {
    const sign = plain[at];
    const row = block.at(-1);
    if (quoted) {
      if (sign !== '"') row[row.length - 1] += sign;
      else if (plain[at + 1] === '"') row[row.length - 1] += plain[(at += 1)];
      else quoted = false;
    } else if (sign === '"' && row.at(-1) === "") quoted = true;
    else if (sign === "\t") row.push("");
    else if (sign === "\n") block.push([""]);
    else row[row.length - 1] += sign;
  }
  return block;
}
