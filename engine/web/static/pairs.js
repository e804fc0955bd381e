// The queue of likely duplicates by keys: J and K go from pair to pair, M merges, U says that they are not the same.

export function start(list) {
  const pairs = [...list.children];
  const chosen = () => list.querySelectorAll("[name=pair][type=checkbox]:checked").length;
  const words = document.querySelector("[data-chosen]");
  list.addEventListener("change", () => {
    if (words) words.textContent = words.dataset.chosen.replace("{count}", chosen());
  });
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input:not([type=checkbox]), textarea, select")) return;
    const at = pairs.indexOf(document.activeElement?.closest(".twin"));
    const key = event.key.toLowerCase();
    if (key === "j" || key === "k") {
      const next = key === "j" ? Math.min(at + 1, pairs.length - 1) : Math.max(at - 1, 0);
      pairs[next].focus();
      pairs[next].scrollIntoView({ block: "nearest" });
    } else if (at < 0) return;
    else if (key === "x") pairs[at].querySelector("[type=checkbox]")?.click();
    else if (key === "m") pairs[at].querySelector("[data-merge]")?.click();
    else if (key === "u") pairs[at].querySelector("[data-apart]")?.click();
    else return;
    event.preventDefault();
  });
}
