// Runs before the page is drawn: without a choice of his own, a person gets the appearance of his system.
{
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const chosen = root.hasAttribute("data-theme");
  const follow = () => root.setAttribute("data-theme", dark.matches ? "dark" : "light");
  if (!chosen) {
    follow();
    dark.addEventListener("change", follow);
  }
}
