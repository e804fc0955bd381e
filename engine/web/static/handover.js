// A handover goes on by itself, batch by batch, and says how far it has got. Leaving the page stops it; coming back goes on.

export function start(form) {
  if ("auto" in form.dataset) go(form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    go(form);
  });
}

async function go(form) {
  const words = document.querySelector("[data-words]");
  const bar = document.querySelector(".ho-bar");
  const button = form.querySelector("button");
  button.disabled = true;
  form.setAttribute("aria-busy", "true");
  for (;;) {
    let told;
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)), headers: { accept: "application/json" },
      });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      told = await answer.json();
    } catch {
      told = { problems: [form.dataset.failed] };
    }
    if (told.problems.length) {
      words.textContent = told.problems.join(" ");
      button.disabled = false;
      form.removeAttribute("aria-busy");
      return;
    }
    words.textContent = told.words;
    bar.value = told.width;
    if (told.over) return location.reload();
  }
}
