// Buttons that copy the text beside them. Without a script the text can be marked and copied by hand.
document.querySelectorAll("[data-copy]").forEach((button) => {
  const source = button.parentElement.querySelector("[data-copied]");
  const words = button.querySelector("span");
  const before = words.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    source.select();
    try {
      await navigator.clipboard.writeText(source.value);
    } catch {
      document.execCommand("copy"); // pages without TLS have no clipboard of their own
    }
    button.focus();
    words.textContent = button.dataset.copy;
    setTimeout(() => (words.textContent = before), 2000);
  });
});
