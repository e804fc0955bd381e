// Counts what waits on this device to be sent, and goes on as soon as the network is back.
const told = document.querySelector("[data-waits]");

function waits() {
  try {
    return Object.keys(localStorage).filter((key) => key.startsWith("dougong-waits:")).length;
  } catch {
    return 0;
  }
}

const count = waits();
if (told && count) told.textContent = told.dataset.waits.replace("{count}", count);
async function look() {
  try {
    if ((await fetch("/healthz", { cache: "no-store" })).ok) location.reload();
  } catch { /* still none */ }
}
addEventListener("online", look);
setInterval(look, 5000);
document.querySelector("[data-again]")?.addEventListener("click", () => location.reload());
