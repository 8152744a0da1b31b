// One map of keys, listed at /look, where it can be switched off. Elements say which key is theirs with data-key.
import { rendered } from "./page.js";

let before = "";

const is_typing = (element) => element.closest("input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]");

function step(selector, by) {
  const all = [...document.querySelectorAll(selector)].filter((element) => element.offsetParent);
  if (!all.length) return;
  const at = all.findIndex((element) => element.contains(document.activeElement));
  const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by))];
  if (next.tabIndex < 0) next.tabIndex = -1;
  next.focus();
  next.scrollIntoView({ block: "center" });
}

function choose(kind) {
  const conflict = document.activeElement.closest("[data-conflict]") ?? document.querySelector("[data-conflict]");
  const radio = conflict?.querySelector(`input[value=${kind}]`);
  if (radio) radio.checked = true;
  radio?.focus();
}

async function help() {
  const fresh = await rendered("/look");
  const dialog = document.createElement("dialog");
  const close = document.createElement("button");
  close.textContent = "✕";
  close.className = "quiet";
  close.setAttribute("aria-label", "Esc");
  close.addEventListener("click", () => dialog.close());
  const heading = fresh.getElementById("keys-map");
  dialog.append(close, ...[heading, heading.nextElementSibling].map((part) => document.adoptNode(part)));
  dialog.className = "card";
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

const acts = {
  j: () => step(".cards > li a, .timeline > li a:first-of-type, [data-conflict], .rows > li > a:first-child", 1),
  k: () => step(".cards > li a, .timeline > li a:first-of-type, [data-conflict], .rows > li > a:first-child", -1),
  n: () => step(".diff .change", 1),
  p: () => step(".diff .change", -1),
  "[": () => choose("theirs"),
  "]": () => choose("ours"),
  "?": () => help(),
};

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  const form = event.target.form ?? document.getElementById("editor");
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && form?.method === "post") {
    event.preventDefault();
    return form.requestSubmit(form.querySelector("button[value=save], button:not([type=button])"));
  }
  if (event.ctrlKey || event.metaKey || event.altKey || is_typing(event.target) || document.querySelector("dialog[open]")) return;
  const key = before === "g" ? `g ${event.key}` : event.key;
  before = event.key === "g" && before !== "g" ? "g" : "";
  if (key === "g h") return location.assign("/");
  const own = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  const act = own ? () => (own.matches("input") ? own.focus() : own.click()) : acts[key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.documentElement.dataset.keys = "ready";
