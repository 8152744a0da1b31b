// While somebody writes: every keystroke kept in this browser, the server's copy every few seconds, the difference shown
// below, and who else is at work. Without this file the form sends and previews.
import { later, rendered, say } from "./page.js";

const PREFIX = "unsent:";
const form = document.getElementById("editor");

// The server has it now, in history or in a draft of one's own.
const sent = document.querySelector("[data-sent]") && sessionStorage.getItem("sending");
if (sent) {
  for (const key of JSON.parse(sent)) localStorage.removeItem(key);
  sessionStorage.removeItem("sending");
}
if (form) write(form);

function write(form) {
  const text = form.elements.text;
  const words = form.dataset;
  const key = PREFIX + form.getAttribute("action") + form.elements.section.value;
  const status = document.getElementById("saving");
  const others = document.getElementById("others");
  // Words that came back unsent, from a preview or with a problem, are no text to go back to.
  const is_fresh = !("changed" in words);
  let first = text.value;
  const first_counts = document.getElementById("counts").cloneNode(true);
  let on_server = text.value;
  let sending = false;

  function keep() {
    try {
      if (is_fresh && text.value === first) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify({ text: text.value, base: form.elements.base.value, at: Date.now() }));
      return true;
    } catch {
      return false;
    }
  }

  async function keep_on_server(leaving = false) {
    if (!words.autosave || sending || text.value === on_server) return;
    sending = !leaving;
    const typed = text.value;
    status.textContent = words.saving;
    try {
      const body = JSON.stringify({ base: Number(form.elements.base.value), section: form.elements.section.value, text: typed.trim() && form.elements.heading.value + typed });
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch(words.autosave, { method: "PUT", body, headers, keepalive: leaving && body.length < 60_000 });
      if (answer.status === 401 || answer.status === 403) throw new Error("signed out");
      if (!answer.ok) throw new Error(String(answer.status));
      const kept = await answer.json();
      on_server = typed;
      const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }).format(new Date(kept.saved_at));
      status.textContent = words.saved.replace("{time}", time) + (kept.behind ? ` ${words.moved}` : "");
      others.textContent = kept.others.map((one) => (one.title ? words.editing : words.here).replace("{name}", one.name).replace("{section}", one.title)).join(" ");
    } catch (error) {
      status.textContent = error.message === "signed out" ? words.signedOut : words.here_only;
    } finally {
      sending = false;
    }
  }

  async function show_difference() {
    const box = document.getElementById("live-diff");
    const read = document.getElementById("read-changes");
    const counts = document.getElementById("counts");
    const asked = text.value;
    if (asked === first) {
      counts.replaceWith(first_counts.cloneNode(true));
      return (box.hidden = read.hidden = true);
    }
    try {
      const fresh = await rendered(words.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (text.value !== asked) return;
      box.replaceChildren(...[...fresh.getElementById("changed").children].map((child) => document.adoptNode(child)));
      counts.replaceWith(document.adoptNode(fresh.getElementById("counts")));
      box.hidden = read.hidden = false;
    } catch {
      box.hidden = read.hidden = true;
    }
  }

  const pause = later(1500, () => keep_on_server());
  const difference = later(700, show_difference);
  let last = Date.now();
  text.addEventListener("input", () => {
    const kept = keep();
    if (!words.autosave) status.textContent = kept ? words.here_only : "";
    difference();
    // Somebody who never pauses is kept too.
    if (Date.now() - last > 4000) {
      last = Date.now();
      pause.cancel();
      keep_on_server();
    } else pause();
  });
  text.addEventListener("blur", () => keep_on_server());
  addEventListener("pagehide", () => keep_on_server(true));
  addEventListener("online", () => keep_on_server());
  form.addEventListener("submit", (event) => {
    pause.cancel();
    const pressed = event.submitter?.value;
    if (pressed === "discard") of_this_draft().forEach((kept) => localStorage.removeItem(kept));
    if (pressed === "save") sessionStorage.setItem("sending", JSON.stringify([key, ...inside()]));
    else sessionStorage.removeItem("sending");
  });
  // The server wrote these words anew when asked to, so they take the place of what was kept.
  if (words.changed === "straightened") keep();
  offer();

  function of_this_draft() {
    return Object.keys(localStorage).filter((other) => other.startsWith(PREFIX + form.getAttribute("action")));
  }

  // What was typed into single sections of this draft and goes along with what is sent now.
  function inside() {
    const goes_along = (typed) => typed.length > 20 && text.value.includes(typed);
    return of_this_draft().filter((other) => goes_along(JSON.parse(localStorage.getItem(other)).text.trim()));
  }

  // Words of this browser that were never sent stand in the form at once: nothing typed above them can take their place.
  function offer() {
    const found = JSON.parse(localStorage.getItem(key) ?? "null");
    if (!found || found.text === text.value) {
      if (is_fresh) localStorage.removeItem(key);
      return;
    }
    const shown = { text: text.value, base: form.elements.base.value };
    put(found);
    const box = document.createElement("div");
    box.className = "said";
    const line = document.createElement("p");
    line.textContent = words.found.replace("{time}", new Date(found.at).toLocaleString());
    const leave = document.createElement("button");
    leave.type = "button";
    leave.className = "quiet";
    leave.textContent = words.leave;
    const actions = document.createElement("div");
    actions.className = "actions";
    actions.append(leave);
    box.append(line, actions);
    form.before(box);
    leave.addEventListener("click", () => {
      put(shown);
      localStorage.removeItem(key);
      box.remove();
      text.focus();
    });
  }

  // On the base they were written on, so that the merge knows what was saved meanwhile.
  function put(kept) {
    text.value = kept.text;
    form.elements.base.value = kept.base;
    difference();
    keep_on_server();
  }

  document.getElementById("read-changes").addEventListener("click", () => say(document.querySelector("#live-diff p").textContent));
}
