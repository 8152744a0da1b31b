// Copy and share an approved text. Without this file the button opens the plain text.
import { say } from "./page.js";

const texts = new Map();

function text(link) {
  if (!texts.has(link.href)) {
    const asked = fetch(link.href).then((answer) => (answer.ok ? answer.text() : Promise.reject(new Error(answer.status))));
    asked.catch(() => texts.delete(link.href));
    texts.set(link.href, asked);
    setTimeout(() => texts.delete(link.href), 30_000);
  }
  return texts.get(link.href);
}

async function copy(link) {
  // A promise within the item, as Safari lets nobody write after a wait.
  const promise = text(link).then((words) => new Blob([words], { type: "text/plain" }));
  if (globalThis.ClipboardItem) await navigator.clipboard.write([new ClipboardItem({ "text/plain": promise })]);
  else await navigator.clipboard.writeText(await text(link));
  say(link.dataset.copied);
}

const link_of = (event) => event.target.closest?.("[data-copy], [data-share]");

for (const kind of ["pointerdown", "focusin"]) {
  document.addEventListener(kind, (event) => link_of(event) && text(link_of(event)).catch(() => {}));
}
document.addEventListener("click", async (event) => {
  const link = link_of(event);
  if (!link || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  try {
    if ("copy" in link.dataset) return await copy(link);
    const url = new URL(link.dataset.share, location).href;
    await navigator.share({ title: link.dataset.title, text: await text(link), url });
  } catch (error) {
    if (error.name !== "AbortError") location.assign(link.href);
  }
});

// What is shown once stands in the page: a field or a line, which can be selected by hand as well.
if (navigator.clipboard) {
  for (const button of document.querySelectorAll("[data-copies]")) {
    const shown = document.getElementById(button.dataset.copies);
    button.hidden = false;
    button.addEventListener("click", () =>
      navigator.clipboard.writeText(shown.value ?? shown.textContent).then(
        () => say(button.dataset.copied),
        () => (shown.select ? shown.select() : getSelection().selectAllChildren(shown)),
      ),
    );
  }
}
if (navigator.share) document.querySelectorAll("[data-share]").forEach((link) => (link.hidden = false));
