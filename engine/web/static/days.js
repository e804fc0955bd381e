// A calendar: records are carried from day to day, with a mouse, a finger or the keyboard. The server decides; what it
// refuses goes back to its day, and a dialog says why.

const days = document.querySelector("#days");
const says = document.querySelector("#days-says");
const dialog = document.querySelector("#put");
const HOLD = 250; // ms that a finger rests before it lifts a record, so that it can scroll as well
const MOVED = 5; // px from which on a press of the mouse is a drag

const day = (entry) => entry.closest("td");
const say = (text, words = {}) => {
  says.textContent = Object.entries(words).reduce((said, [key, value]) => said.replace(`{${key}}`, value), text);
};
const here = () => location.pathname + location.search;

async function put(entry, target) {
  if (target === day(entry)) return say(days.dataset.back);
  const body = new FormData();
  for (const [key, value] of [["by", days.dataset.by], ["to", target.dataset.day], ["~version", entry.dataset.version], ["csrf", days.dataset.csrf], ["after", here()]]) body.set(key, value);
  entry.setAttribute("aria-busy", "true");
  let answer = null;
  try {
    answer = await fetch(`${days.dataset.entity}/${entry.dataset.id}/put`, { method: "POST", body });
  } catch {
    // Said below.
  }
  entry.removeAttribute("aria-busy");
  if (answer?.status === 204) {
    say(days.dataset.dropped, { column: target.dataset.label });
    return refresh(entry.dataset.id);
  }
  entry.focus();
  if (!answer || answer.redirected || !(answer.headers.get("content-type") ?? "").includes("html")) return say(days.dataset.failed);
  dialog.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
  dialog.showModal();
  dialog.addEventListener("close", () => say(days.dataset.back), { once: true });
}

// What stands on a day and what is folded away is the server's to say: the month is drawn anew.
async function refresh(id) {
  const answer = await fetch(here());
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#days");
  if (!fresh) return;
  days.replaceChildren(...fresh.children);
  const entry = days.querySelector(`.ce[data-id="${CSS.escape(id)}"]`);
  entry?.closest("details")?.setAttribute("open", "");
  entry?.focus();
}

let drag = null;

days.addEventListener("pointerdown", (event) => {
  const entry = event.target.closest(".ce");
  if (!entry || event.button > 0) return;
  const box = entry.getBoundingClientRect();
  drag = { entry, id: event.pointerId, x: event.clientX, y: event.clientY, dx: event.clientX - box.left, dy: event.clientY - box.top, ghost: null, over: null };
  if (event.pointerType !== "mouse") drag.timer = setTimeout(lift, HOLD);
});

function lift() {
  const { entry } = drag;
  const ghost = entry.cloneNode(true);
  ghost.classList.add("carried");
  ghost.setAttribute("aria-hidden", "true");
  ghost.style.width = `${entry.offsetWidth}px`;
  document.body.append(ghost);
  entry.classList.add("gone");
  drag.ghost = ghost;
  follow(drag.x, drag.y);
}

function follow(x, y) {
  drag.ghost.style.transform = `translate(${x - drag.dx}px, ${y - drag.dy}px)`;
  over(document.elementFromPoint(x, y)?.closest("#days td") ?? null);
}

function over(target) {
  if (target === drag.over) return;
  drag.over?.classList.remove("over");
  target?.classList.add("over");
  drag.over = target;
}

addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.id) return;
  if (!drag.ghost) {
    if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < MOVED) return;
    if (event.pointerType !== "mouse") return drop(null); // the finger scrolls
    lift();
  }
  event.preventDefault();
  follow(event.clientX, event.clientY);
}, { passive: false });

function drop(target) {
  if (!drag) return;
  const { entry, ghost } = drag;
  clearTimeout(drag.timer);
  drag.over?.classList.remove("over");
  drag = null;
  ghost?.remove();
  entry.classList.remove("gone");
  if (!ghost) return;
  // The click that ends a drag opens nothing.
  const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };
  addEventListener("click", swallow, true);
  setTimeout(() => removeEventListener("click", swallow, true));
  if (target) put(entry, target);
}

addEventListener("pointerup", () => drop(drag?.over ?? null));
addEventListener("pointercancel", () => drop(null));
addEventListener("touchmove", (event) => { if (drag?.ghost) event.preventDefault(); }, { passive: false });
addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) drop(null); });
days.addEventListener("dragstart", (event) => event.preventDefault());

// The keyboard: Space lifts and drops, arrows go to the neighbouring day or week.
let held = null;

function release(target) {
  const { entry, over } = held;
  held = null;
  over.classList.remove("over");
  entry.classList.remove("held");
  if (target) put(entry, target);
  else say(days.dataset.back);
}

days.addEventListener("keydown", (event) => {
  const entry = event.target.closest(".ce");
  if (!entry || event.ctrlKey || event.metaKey || event.altKey) return;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
  if (event.key === " ") {
    if (held) release(held.over);
    else {
      held = { entry, over: day(entry) };
      entry.classList.add("held");
      held.over.classList.add("over");
      say(days.dataset.lifted, { title: entry.title });
    }
  } else if (held && event.key === "Escape") release(null);
  else if (held && step) {
    const all = [...days.querySelectorAll("td")];
    held.over.classList.remove("over");
    held.over = all[Math.min(Math.max(all.indexOf(held.over) + step, 0), all.length - 1)];
    held.over.classList.add("over");
    say(days.dataset.over, { column: held.over.dataset.label });
  } else return;
  event.preventDefault();
  event.stopPropagation();
});
