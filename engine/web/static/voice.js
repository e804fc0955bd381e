// Speaking instead of typing long texts, where the browser can listen. What it hears is written at the cursor.

import { icon } from "./form.js";

export function voice(form, words) {
  const Listener = window.SpeechRecognition || window.webkitSpeechRecognition;
  let current = null;
  form.querySelectorAll(".dg-f > textarea.dg-in:not(.mono)").forEach((area) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "dg-btn ic ghost s voice", title: words.speak });
    button.setAttribute("aria-label", words.speak);
    button.setAttribute("aria-pressed", "false");
    button.append(icon("mic"));
    area.closest(".dg-f").append(button);
    button.addEventListener("click", () => {
      if (current?.area === area) return current.listener.stop();
      current?.listener.stop();
      const listener = new Listener();
      current = { area, listener };
      listener.lang = document.documentElement.lang === "en" ? "en-US" : "zh-CN";
      listener.continuous = true;
      listener.addEventListener("result", (event) => {
        for (let at = event.resultIndex; at < event.results.length; at += 1) {
          if (!event.results[at].isFinal) continue;
          area.setRangeText(event.results[at][0].transcript, area.selectionStart, area.selectionEnd, "end");
          area.dispatchEvent(new Event("input", { bubbles: true }));
        }
      });
      const says = (on) => {
        button.setAttribute("aria-pressed", String(on));
        button.classList.toggle("on", on);
        button.setAttribute("aria-label", on ? words.stop : words.speak);
      };
      for (const end of ["end", "error"]) listener.addEventListener(end, () => {
        says(false);
        if (current?.listener === listener) current = null;
      });
      listener.start();
      says(true);
    });
  });
}
