// A signature: drawn with a finger, a pen or a mouse, or a typed name written out; either becomes a picture like any other.

export function signature(pad, send) {
  const canvas = pad.querySelector("canvas");
  const typed = pad.querySelector("[data-sign-typed]");
  const ink = canvas.getContext("2d");
  let drawn = false;
  pad.hidden = false;

  function clear() {
    ink.clearRect(0, 0, canvas.width, canvas.height);
    drawn = false;
  }
  function place(event) {
    const box = canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * canvas.width, ((event.clientY - box.top) / box.height) * canvas.height];
  }
  function pen() {
    ink.lineWidth = 4;
    ink.lineCap = ink.lineJoin = "round";
    ink.strokeStyle = ink.fillStyle = "#14181f"; // The picture is looked at on white paper, whatever the page's colours.
  }
  canvas.addEventListener("pointerdown", (event) => {
    if (typed.value) clear();
    typed.value = "";
    canvas.setPointerCapture(event.pointerId);
    pen();
    ink.beginPath();
    ink.moveTo(...place(event));
    drawn = true;
    event.preventDefault();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    ink.lineTo(...place(event));
    ink.stroke();
  });
  typed.addEventListener("input", (event) => {
    event.stopPropagation();
    clear();
    const name = typed.value.trim();
    if (!name) return;
    pen();
    ink.font = "96px KaiTi, STKaiti, cursive";
    ink.textBaseline = "middle";
    ink.fillText(name, 24, canvas.height / 2, canvas.width - 48);
    drawn = true;
  });
  const finish = () => drawn && canvas.toBlob((blob) => {
    send(new File([blob], "signature.png", { type: "image/png" }));
    clear();
    typed.value = "";
  }, "image/png");
  typed.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    finish();
  });
  pad.querySelector("[data-sign-clear]").addEventListener("click", () => {
    clear();
    typed.value = "";
  });
  pad.querySelector("[data-sign-done]").addEventListener("click", finish);
}
