// Cards that may take long come after the page has been painted, two at a time; clocks run on.

const grid = document.querySelector("[data-cards]");
const words = JSON.parse(grid.dataset.words);
const waiting = [...grid.querySelectorAll("[data-later]")];

async function fill() {
  for (let card = waiting.shift(); card; card = waiting.shift()) await load(card);
}

async function load(card) {
  try {
    const answer = await fetch(card.dataset.later);
    if (!answer.ok || answer.redirected) throw new Error(answer.status);
    const drawn = new DOMParser().parseFromString(await answer.text(), "text/html").body.querySelector("section");
    card.replaceWith(drawn);
  } catch {
    const told = document.createElement("p");
    told.className = "in t13 c2";
    const again = Object.assign(document.createElement("button"), { className: "dg-btn s", textContent: words.again });
    again.addEventListener("click", () => { told.remove(); load(card); });
    told.append(`${words.failed} `, again);
    card.querySelector(".skels").replaceChildren(told);
    card.removeAttribute("aria-busy");
  }
}

fill();
fill();

const put = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

function span(milliseconds) {
  const all = Math.max(0, Math.floor(milliseconds / 60000));
  const d = Math.floor(all / 1440), h = Math.floor(all / 60) % 24, m = all % 60;
  if (d >= 3) return put(words.d, { d });
  if (d) return put(words.dh, { d, h });
  return all >= 60 ? put(words.h, { h, m }) : put(words.m, { m });
}

setInterval(() => {
  if (document.hidden) return;
  const now = Date.now();
  for (const clock of grid.querySelectorAll("[data-clock]")) {
    const { since, until, soon } = Object.fromEntries(["since", "until", "soon"].map((name) => [name, Number(clock.dataset[name])]));
    const left = until - now;
    clock.textContent = clock.dataset.clock === "passed" ? span(now - since) : put(left > 0 ? words.left : words.over, { time: span(Math.abs(left)) });
    clock.classList.toggle("red", until > 0 && left <= 0);
    clock.classList.toggle("yellow", until > 0 && left > 0 && soon > 0 && now >= soon);
  }
}, 20000);
