// What happens elsewhere, without a reload: a stream says that something moved, and the parts of this page that show it
// are fetched again as the server renders them. What somebody is using or writing in is left alone.
import { later, rendered, say } from "./page.js";
import { show } from "./time.js";

const kinds = "revision.saved,draft.forked,vote.cast,vote.withdrawn,candidate.leading,candidate.carried,candidate.stale,page.promoted,page.unpromoted,page.held,page.released,page.corrected,page.withdrawn,page.restored";
const page = document.querySelector("[data-live]").dataset.live;
let stream;
let seen = document.getElementById("main").dataset.since;

function is_in_use(part) {
  return part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select, summary");
}

async function renew() {
  const fresh = await rendered(location.href);
  for (const part of document.querySelectorAll("[data-fragment]")) {
    const next = fresh.getElementById(part.id);
    if (!next || is_in_use(part)) continue;
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    show(next);
    if (next.innerHTML === part.innerHTML) continue;
    [...next.querySelectorAll("details")].forEach((details, at) => (details.open = open[at] ?? details.open));
    const focused = part.contains(document.activeElement) && document.activeElement.id;
    next.classList.add("fresh");
    part.replaceWith(document.adoptNode(next));
    if (focused) document.getElementById(focused)?.focus();
    say(next.dataset.announce);
  }
}

// Thousands hear of a promotion at once; they do not all ask at once.
const soon = later(250, () => setTimeout(() => renew().catch(() => {}), Math.random() * 750));

function open() {
  if (stream) return;
  const query = new URLSearchParams({ kinds, ...(page && { page }), ...(seen && { since: seen }) });
  stream = new EventSource(`/api/v1/stream?${query}`);
  for (const kind of kinds.split(",")) {
    stream.addEventListener(kind, (event) => {
      seen = event.lastEventId;
      soon();
    });
  }
}

function close() {
  stream?.close();
  stream = undefined;
}

// Browsers keep few connections to one site: a page nobody looks at gives its own back.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return close();
  if (!stream) soon();
  open();
});
addEventListener("pagehide", close);
if (!document.hidden) open();
