// Search over the whole app: Ctrl+K opens it from everywhere, arrows walk through what it found.

const dialog = document.querySelector("#find");
const input = dialog?.querySelector("input");
const found = dialog?.querySelector("#found");
const WAIT = 140; // ms after the last key
let timer = 0;
let asked = 0;

// Opened at once, so that nothing of what is typed next gets lost.
function open() {
  if (dialog.open) return;
  dialog.showModal();
  input.select();
  ask();
}

async function ask() {
  const address = new URL(input.form.action);
  address.searchParams.set("q", input.value.trim());
  address.searchParams.set("part", "found");
  address.searchParams.set("from", location.pathname + location.search);
  const mine = ++asked;
  let answer;
  try {
    answer = await fetch(address);
  } catch {
    return; // without a server what was found before stays
  }
  if (mine !== asked || !answer.ok || answer.redirected) return;
  found.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
}

export function finding() {
  if (!dialog) return;
  addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.querySelectorAll("[data-find]").forEach((link) => link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  }));
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  });

  // The focus goes from the text through the hits and back; whoever types on is back in the text.
  dialog.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    const hits = [...found.querySelectorAll(".hit")];
    const at = hits.indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      const next = at + step;
      if (next < 0) input.focus();
      else hits[Math.min(next, hits.length - 1)]?.focus();
      event.preventDefault();
    } else if (event.key === "Enter" && at < 0 && hits.length) {
      clearTimeout(timer);
      hits[0].click();
      event.preventDefault();
    } else if (at >= 0 && (event.key === "Backspace" || (event.key.length === 1 && !event.ctrlKey && !event.metaKey))) input.focus();
  });

  // A click beside it closes it.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
}
