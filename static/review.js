// The queue without reloads: the next text comes in place, the last vote can be taken back for half a minute, and a
// vote given without signal is kept in this browser until there is some. Without this file the forms do it.
import { rendered, say } from "./page.js";

const place = () => document.getElementById("review");
const words = { ...place().dataset };
const KEPT = `votes:${words.member}`;
let fading;

const kept = () => JSON.parse(localStorage.getItem(KEPT) ?? "[]");
const keep = (votes) => (votes.length ? localStorage.setItem(KEPT, JSON.stringify(votes)) : localStorage.removeItem(KEPT));

function send(fields) {
  return rendered("/review", { method: "POST", body: new URLSearchParams(fields) });
}

function show(fresh, { focus = true } = {}) {
  const next = fresh.getElementById("review");
  if (!next) return location.reload();
  place().replaceWith(document.adoptNode(next));
  fade();
  if (!focus) return;
  scrollTo(0, 0);
  (next.querySelector(".said.warn") ?? next.querySelector("#asked, [data-asked]") ?? next.querySelector(".empty"))?.focus();
}

// What is offered for half a minute goes away after it.
function fade() {
  clearTimeout(fading);
  if (document.querySelector("[data-undo]")) {
    fading = setTimeout(() => document.querySelector("[data-undo]")?.remove(), Number(words.seconds) * 1000);
  }
}

// A browser without signal throws a TypeError; an answer that is no page of the queue says its status.
const is_no_signal = (error) => error instanceof TypeError;

function wait_for_signal() {
  const line = document.createElement("p");
  line.className = "said warn";
  line.tabIndex = -1;
  line.setAttribute("role", "status");
  line.textContent = words.kept;
  place().replaceChildren(line);
  line.focus();
}

async function send_kept() {
  let fresh;
  for (let [first, ...rest] = kept(); first; [first, ...rest] = kept()) {
    try {
      fresh = await send(first);
    } catch (error) {
      if (is_no_signal(error)) return wait_for_signal();
      if (error.message.startsWith("401")) return location.assign(words.login);
    }
    keep(rest);
  }
  if (!fresh) return location.assign("/review");
  show(fresh);
  if (!fresh.querySelector(".said.warn")) say(words.sent);
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !place()?.contains(form) || form.getAttribute("action") !== "/review") return;
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(form, event.submitter));
  try {
    show(await send(fields));
  } catch (error) {
    delete form.dataset.sending;
    if (is_no_signal(error)) {
      keep([...kept(), fields]);
      wait_for_signal();
    } else if (error.message.startsWith("401")) location.assign(words.login);
    else location.assign("/review");
  }
});
addEventListener("online", () => kept().length && send_kept());
fade();
if (kept().length) send_kept();
