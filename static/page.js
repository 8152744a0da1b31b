// What several modules need: say something, and fetch a page this server rendered.
const policy = globalThis.trustedTypes?.createPolicy("rendered", { createHTML: (html) => html });
let silence;

export function say(words) {
  const line = document.getElementById("said");
  if (!line || !words) return;
  line.textContent = words;
  clearTimeout(silence);
  silence = setTimeout(() => (line.textContent = ""), 6000);
}

// Only ever called with addresses of this site, whose pages escape what people wrote.
export async function rendered(address, options = {}) {
  const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "text/html" }, ...options });
  if (!answer.ok) throw new Error(`${answer.status} at ${address}`);
  const html = await answer.text();
  return new DOMParser().parseFromString(policy ? policy.createHTML(html) : html, "text/html");
}

export function later(milliseconds, act) {
  let waiting;
  const put_off = (...given) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => act(...given), milliseconds);
  };
  put_off.cancel = () => clearTimeout(waiting);
  return put_off;
}
