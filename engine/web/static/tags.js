// Many options: one types to narrow them down, Enter takes the first that is left, Backspace gives back the last taken.

export function tags(root, words) {
  root.querySelectorAll("[data-tags]").forEach((group) => {
    const chips = [...group.querySelectorAll(".tickchip")];
    const box = Object.assign(document.createElement("input"), { type: "text", className: "dg-in tagfind", placeholder: words.filter, autocomplete: "off" });
    box.setAttribute("aria-label", `${group.getAttribute("aria-label")} ${words.filter}`);
    box.setAttribute("aria-controls", group.id);
    group.before(box);
    group.classList.add("tagged");
    const ticked = (chip) => chip.querySelector("input").checked;
    function narrow() {
      const text = box.value.trim().toLowerCase();
      chips.forEach((chip) => (chip.hidden = Boolean(text) && !ticked(chip) && !chip.textContent.toLowerCase().includes(text)));
    }
    function tick(chip, on) {
      const input = chip.querySelector("input");
      input.checked = on;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
    box.addEventListener("input", (event) => {
      event.stopPropagation();
      narrow();
    });
    box.addEventListener("keydown", (event) => {
      if (event.isComposing || event.ctrlKey || event.metaKey) return;
      if (event.key === "Enter") {
        event.preventDefault();
        const first = chips.find((chip) => !chip.hidden && !ticked(chip));
        if (first && box.value.trim()) {
          tick(first, true);
          box.value = "";
          narrow();
        }
      } else if (event.key === "Backspace" && !box.value) {
        const last = chips.filter(ticked).at(-1);
        if (last) tick(last, false);
      }
    });
  });
}
