// The entry: loads what the page at hand has a use for. Everything works without it, by forms and links.
import { say } from "./page.js";
import "./time.js";

const uses = [
  ["[data-suggest]", "./search.js"],
  ["[data-copy], [data-copies], [data-share]", "./copy.js"],
  ["#editor, [data-sent]", "./editor.js"],
  ["[data-live]", "./live.js"],
  ["#review", "./review.js"],
];
for (const [selector, module] of uses) if (document.querySelector(selector)) import(module);
if (document.documentElement.hasAttribute("data-keys")) import("./keys.js");

document.querySelector("[data-focus]")?.focus();
// A second tap on a slow line must not send twice; what the button says is sent first.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.target.dataset.sending) return event.preventDefault();
  event.target.dataset.sending = "yes";
  setTimeout(() => delete event.target.dataset.sending, 8000);
});
addEventListener("pageshow", () => document.querySelectorAll("[data-sending]").forEach((form) => delete form.dataset.sending));
addEventListener("offline", () => say(document.body.dataset.offline));
