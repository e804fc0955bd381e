// Loaded by a page of another site beside a public form in a frame: makes the frame as high as the form says it is.
// A frame may only speak of itself, and only the frame that it is: message, window and origin must belong together.
addEventListener("message", (event) => {
  const height = event.data && event.data.dougongHeight;
  if (typeof height !== "number" || !(height > 0) || height > 20000) return;
  for (const frame of document.querySelectorAll("iframe")) {
    if (frame.contentWindow === event.source && new URL(frame.src).origin === event.origin) frame.style.height = `${Math.ceil(height)}px`;
  }
});
