// Parts of a list that are drawn anew without leaving it: the question for one more condition, a group that opens or closes.
// Each is a link that works by itself; here its page is asked for and only the part is put in place.

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-part]");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const id = link.dataset.part;
  const place = document.getElementById(id);
  let fresh = null;
  try {
    const answer = await fetch(link.href);
    if (answer.ok && !answer.redirected) fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
  } catch {
    // The link itself shows what is wrong.
  }
  if (!fresh || !place) return (location.href = link.href);
  const at = [...place.querySelectorAll("a[data-part]")].indexOf(link);
  const [top, left] = [place.scrollTop, place.scrollLeft];
  place.replaceChildren(...fresh.childNodes);
  [place.scrollTop, place.scrollLeft] = [top, left];
  if (id === "rows") history.replaceState(null, "", link.href);
  operators(place);
  const again = at >= 0 && id === "rows" ? [...place.querySelectorAll("a[data-part]")][at] : place.querySelector("select") ?? place.querySelector("input:not([type=hidden])") ?? place.querySelector("a");
  (again ?? document.getElementById("add"))?.focus({ preventScroll: id === "rows" });
});

// Of the controls for a value only those show that the operator takes.
function operators(place) {
  const select = place.querySelector("select[name=op]");
  if (!select) return;
  const judge = () => {
    const bare = ["empty", "filled", "yes", "no", "mine", "ours"].includes(select.value);
    place.querySelectorAll("[data-value]").forEach((each) => {
      const wanted = each.dataset.value.split(" ");
      each.hidden = bare || (wanted[0] !== "" && !wanted.includes(select.value));
    });
  };
  select.addEventListener("change", judge);
  judge();
}

operators(document);

// A file takes a while to be made: the link says so until the browser has it.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-export]");
  const told = link?.parentElement.querySelector("[data-exporting]");
  if (!told) return;
  told.textContent = link.dataset.export;
  setTimeout(() => { told.textContent = ""; }, 4000);
});
