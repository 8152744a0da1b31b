// A text in a frame on another site: asks every few seconds whether it still stands, and shows what the server shows now.
import { rendered } from "./page.js";

const EVERY = 3000;

async function check() {
  const main = document.getElementById("main");
  const answer = await fetch(main.dataset.text, { credentials: "omit", cache: "no-cache" });
  // Busy or broken says nothing about the text.
  if (answer.status >= 500 || answer.status === 429) return;
  const text = answer.ok && (await answer.json());
  const state = text ? `${text.status} ${text.revision?.sha256 ?? ""}` : String(answer.status);
  if (state === main.dataset.state) return;
  const fresh = await rendered(location.href, { cache: "no-cache", credentials: "omit" });
  main.replaceWith(document.adoptNode(fresh.getElementById("main")));
}

const look = () => document.hidden || check().catch(() => {});
// At once too: the page itself may have come from a cache.
look();
setInterval(look, EVERY);
document.addEventListener("visibilitychange", look);
