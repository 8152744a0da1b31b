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
  let first = text.value;
  let on_server = text.value;
  let sending = false;

  function keep() {
    try {
      if (text.value === first) localStorage.removeItem(key);
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
    const asked = text.value;
    if (asked === first) return (box.hidden = read.hidden = true);
    try {
      const fresh = await rendered(words.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      if (text.value !== asked) return;
      box.replaceChildren(...[...fresh.getElementById("changed").children].map((child) => document.adoptNode(child)));
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
    if (event.submitter?.value === "discard") localStorage.removeItem(key);
    else sessionStorage.setItem("sending", JSON.stringify([key, ...inside()]));
  });
  offer();

  // What was typed into single sections of this draft and goes along with what is sent now.
  function inside() {
    const sections = Object.keys(localStorage).filter((other) => other.startsWith(PREFIX + form.getAttribute("action")));
    return sections.filter((other) => text.value.includes(JSON.parse(localStorage.getItem(other)).text.trim()));
  }

  function offer() {
    const found = JSON.parse(localStorage.getItem(key) ?? "null");
    if (!found || found.text === text.value) return localStorage.removeItem(key);
    const box = document.createElement("div");
    box.className = "said";
    const line = document.createElement("p");
    line.textContent = words.found.replace("{time}", new Date(found.at).toLocaleString());
    const take = document.createElement("button");
    take.type = "button";
    take.textContent = words.take;
    const leave = document.createElement("button");
    leave.type = "button";
    leave.className = "quiet";
    leave.textContent = words.leave;
    const actions = document.createElement("div");
    actions.className = "actions";
    actions.append(take, leave);
    box.append(line, actions);
    form.before(box);
    take.addEventListener("click", () => {
      // On the base it was written on, so that the merge knows what was saved meanwhile.
      text.value = found.text;
      form.elements.base.value = found.base;
      box.remove();
      text.focus();
      difference();
      keep_on_server();
    });
    leave.addEventListener("click", () => {
      localStorage.removeItem(key);
      box.remove();
      text.focus();
    });
  }

  document.getElementById("read-changes").addEventListener("click", () => say(document.querySelector("#live-diff p").textContent));
}
