// A record made on the way: a small form in a dialog, sent by itself, so that the form behind it stays as it is.

import { lookups } from "./lookup.js";

export async function create(address, name, back, chosen) {
  const url = new URL(address, location.href);
  url.searchParams.set("name", name);
  const dialog = Object.assign(document.createElement("dialog"), { className: "dg-dlg quick" });
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    back.focus();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
  });
  dialog.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (dialog.dataset.sending) return;
    dialog.dataset.sending = "true";
    try {
      const answer = await fetch(event.target.action, { method: "POST", body: new FormData(event.target) });
      if (answer.status === 201) {
        const made = await answer.json();
        dialog.close();
        chosen(made.id, made.title);
      } else if ((answer.headers.get("content-type") || "").includes("text/html")) draw(dialog, await answer.text());
    } catch {
      // Nothing answered: what was typed still stands there, to be sent again.
    } finally {
      delete dialog.dataset.sending;
    }
  });
  try {
    const answer = await fetch(url);
    draw(dialog, await answer.text());
    dialog.showModal();
    focus(dialog);
  } catch {
    dialog.remove();
    location.assign(address.replace(/quick$/, "new"));
  }
}

function draw(dialog, html) {
  dialog.innerHTML = html;
  dialog.setAttribute("aria-label", dialog.querySelector("h1")?.textContent || "");
  lookups(dialog);
  if (dialog.open) focus(dialog);
}

// The first that still needs something.
function focus(dialog) {
  const controls = [...dialog.querySelectorAll(".dg-in:not(.ro), input[type=checkbox]")];
  const wanted = controls.find((each) => each.ariaInvalid === "true") || controls.find((each) => !each.value) || controls[0];
  wanted?.focus();
}
