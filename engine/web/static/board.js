// A board: cards are carried from column to column, with a mouse, a finger or the keyboard. The server decides; what it
// refuses goes back to its place, and a dialog asks for what is missing.

const board = document.querySelector("#board");
const says = document.querySelector("#board-says");
const dialog = document.querySelector("#put");
const HOLD = 250; // ms that a finger rests before it lifts a card, so that it can scroll as well
const MOVED = 5; // px from which on a press of the mouse is a drag

const columns = () => [...board.querySelectorAll(".kcol")];
const cards = (column) => [...column.querySelectorAll(".kc")];
const column = (card) => card.closest(".kcol");
const name = (each) => each.getAttribute("aria-label");
const title = (card) => card.querySelector("a").textContent;
const say = (text, words = {}) => {
  says.textContent = Object.entries(words).reduce((said, [key, value]) => said.replace(`{${key}}`, value), text);
};

// -- asking the server --------------------------------------------------------------------------------------------------

async function put(card, target) {
  const origin = column(card);
  if (target === origin) return say(board.dataset.back);
  const list = target.querySelector("ul");
  const next = card.nextElementSibling;
  list.prepend(card);
  card.setAttribute("aria-busy", "true");
  const body = new FormData();
  for (const [key, value] of [["by", board.dataset.by], ["to", target.dataset.key], ["~version", card.dataset.version], ["csrf", board.dataset.csrf], ["after", here()]]) body.set(key, value);
  let answer;
  try {
    answer = await fetch(`${board.dataset.entity}/${card.dataset.id}/put`, { method: "POST", body });
  } catch {
    answer = null;
  }
  card.removeAttribute("aria-busy");
  if (answer?.status === 204) {
    say(board.dataset.dropped, { column: name(target) });
    await refresh(card.dataset.id);
    return;
  }
  origin.querySelector("ul").insertBefore(card, next);
  card.focus();
  if (!answer || answer.redirected || !(answer.headers.get("content-type") ?? "").includes("html")) return say(board.dataset.failed);
  target.classList.add("refuse");
  ask(await answer.text(), () => target.classList.remove("refuse"));
}

// The address of the board as it is looked at, to come back to.
function here() {
  const url = new URL(location.href);
  url.searchParams.delete("open");
  return url.pathname + url.search;
}

// Counts and sums are the server's: the columns are drawn anew, and the focus stays with the card.
async function refresh(id) {
  const answer = await fetch(here());
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#board");
  if (!fresh) return;
  const left = board.scrollLeft;
  board.replaceChildren(...fresh.children);
  board.scrollLeft = left;
  start();
  const card = board.querySelector(`.kc[data-id="${CSS.escape(id)}"]`);
  if (card) {
    card.classList.add("fresh");
    point(card);
    card.focus({ preventScroll: true });
  }
}

function ask(html, closed) {
  dialog.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  dialog.showModal();
  dialog.addEventListener("close", () => {
    closed();
    say(board.dataset.back);
  }, { once: true });
}

// After something was provided the page comes back with the card whose gate was being seen to.
async function reopen() {
  const [id, to] = (board.dataset.open ?? "").split(".");
  if (!id || to === undefined) return;
  history.replaceState(null, "", here());
  const query = new URLSearchParams({ by: board.dataset.by, to, after: here() });
  const answer = await fetch(`${board.dataset.entity}/${id}/put?${query}`);
  if (answer.ok) ask(await answer.text(), () => {});
}

// -- mouse and finger ---------------------------------------------------------------------------------------------------

let drag = null;

function press(event) {
  const card = event.target.closest(".kc");
  if (!card || event.button > 0 || !("movable" in board.dataset)) return;
  const box = card.getBoundingClientRect();
  drag = { card, id: event.pointerId, x: event.clientX, y: event.clientY, dx: event.clientX - box.left, dy: event.clientY - box.top, ghost: null, over: null };
  if (event.pointerType !== "mouse") drag.timer = setTimeout(lift, HOLD);
}

function lift() {
  const { card } = drag;
  const ghost = card.cloneNode(true);
  ghost.className = "kc carried";
  ghost.setAttribute("aria-hidden", "true");
  ghost.style.width = `${card.offsetWidth}px`;
  document.body.append(ghost);
  card.classList.add("gone");
  drag.ghost = ghost;
  follow(drag.x, drag.y);
}

function follow(x, y) {
  drag.ghost.style.transform = `translate(${x - drag.dx}px, ${y - drag.dy}px) rotate(1.5deg)`;
  const over = document.elementFromPoint(x, y)?.closest(".kcol") ?? null;
  if (over !== drag.over) {
    drag.over?.classList.remove("over");
    over?.classList.add("over");
    drag.over = over;
  }
  const edge = board.getBoundingClientRect();
  if (x > edge.right - 40) board.scrollBy(12, 0);
  else if (x < edge.left + 40) board.scrollBy(-12, 0);
}

function move(event) {
  if (!drag || event.pointerId !== drag.id) return;
  const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y);
  if (!drag.ghost) {
    if (far < MOVED) return;
    if (event.pointerType !== "mouse") return drop(null); // the finger scrolls
    lift();
  }
  event.preventDefault();
  follow(event.clientX, event.clientY);
}

function drop(target) {
  if (!drag) return;
  const { card, ghost, over } = drag;
  clearTimeout(drag.timer);
  drag = null;
  over?.classList.remove("over");
  ghost?.remove();
  card.classList.remove("gone");
  if (ghost) {
    // The click that ends a drag opens nothing.
    const swallow = (event) => { event.preventDefault(); event.stopPropagation(); };
    addEventListener("click", swallow, true);
    setTimeout(() => removeEventListener("click", swallow, true));
    if (target) put(card, target);
  }
}

addEventListener("pointermove", move, { passive: false });
addEventListener("pointerup", () => drop(drag?.over ?? null));
addEventListener("pointercancel", () => drop(null));
addEventListener("touchmove", (event) => { if (drag?.ghost) event.preventDefault(); }, { passive: false });
addEventListener("keydown", (event) => { if (event.key === "Escape" && drag) drop(null); });
board.addEventListener("pointerdown", press);
board.addEventListener("dragstart", (event) => event.preventDefault());

// -- keyboard: arrows walk, Space lifts and drops -----------------------------------------------------------------------

let held = null;

// One card is in the order of the tab key; the arrows go on from there.
function point(card) {
  board.querySelectorAll('.kc[tabindex="0"]').forEach((each) => each.setAttribute("tabindex", "-1"));
  card.setAttribute("tabindex", "0");
}

function carry(card) {
  held = { card, over: column(card) };
  card.classList.add("held");
  held.over.classList.add("over");
  say(board.dataset.lifted, { title: title(card) });
}

function release(target) {
  const { card, over } = held;
  held = null;
  over.classList.remove("over");
  card.classList.remove("held");
  if (target) put(card, target);
  else say(board.dataset.back);
}

board.addEventListener("keydown", (event) => {
  const card = event.target.closest(".kc");
  if (!card || event.target !== card || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = columns();
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.key === " " && "movable" in board.dataset) held ? release(held.over) : carry(card);
  else if (event.key === "Escape" && held) release(null);
  else if (event.key === "Enter" && !held) card.querySelector("a").click();
  else if (step && held) {
    held.over.classList.remove("over");
    held.over = all[Math.min(Math.max(all.indexOf(held.over) + step, 0), all.length - 1)];
    held.over.classList.add("over");
    held.over.scrollIntoView({ inline: "nearest", block: "nearest" });
    say(board.dataset.over, { column: name(held.over) });
  } else if (step) {
    const rest = step > 0 ? all.slice(all.indexOf(column(card)) + 1) : all.slice(0, all.indexOf(column(card))).reverse();
    const next = rest.map(cards).find((found) => found.length)?.[0];
    if (next) go(next);
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const found = cards(column(card));
    const next = found[found.indexOf(card) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next && !held) go(next);
  } else return;
  event.preventDefault();
  event.stopPropagation();
});

function go(card) {
  point(card);
  card.focus();
}

function start() {
  const first = board.querySelector(".kc");
  if (first) point(first);
}

start();
reopen();
