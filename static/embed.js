// <message-text slug="housing" section="topline"> shows an approved text on any site. It asks again every few seconds: a text
// that is stopped is gone at once. What stands within the element is shown until there is a text, and without this file.
(() => {
  const site = new URL(".", document.currentScript.src).href;
  const EVERY = 3000;
  const TAGS = /^(a|blockquote|br|code|em|h[2-6]|hr|li|ol|p|pre|s|strong|table|tbody|td|th|thead|tr|ul)$/i;
  const ATTRIBUTES = ["dir", "start", "title"];
  const SCHEMES = ["http:", "https:", "mailto:", "tel:"];

  let policy;
  try {
    policy = globalThis.trustedTypes?.createPolicy("message-text", { createHTML: (html) => html });
  } catch {
    // This site lets nobody make HTML: the words come as plain text.
  }
  const style = new CSSStyleSheet();
  style.replaceSync(
    ":host{display:block;overflow-wrap:anywhere}:host([hidden]){display:none}.stopped{border:2px solid;border-inline-start-width:.5rem;padding:.6rem .9rem;font-weight:700}.plain{white-space:pre-line}",
  );

  // Every element is made anew, so nothing but words and links of known kinds comes over.
  function copy(from, to, base) {
    for (const node of from.childNodes) {
      if (node.nodeType === Node.TEXT_NODE) to.append(node.data);
      else if (node.localName === "img") to.append(node.alt);
      else if (node.nodeType === Node.ELEMENT_NODE && node.localName !== "h1") {
        const made = TAGS.test(node.localName) ? document.createElement(node.localName) : to;
        if (made !== to) {
          for (const name of ATTRIBUTES) if (node.hasAttribute(name)) made.setAttribute(name, node.getAttribute(name));
          if (made.localName === "a") link(made, node.getAttribute("href"), base);
          to.append(made);
        }
        copy(node, made, base);
      }
    }
  }

  function link(made, address, base) {
    const url = URL.canParse(address, base) && new URL(address, base);
    if (!url || !SCHEMES.includes(url.protocol)) return;
    made.href = url.href;
    made.rel = "ugc nofollow noopener";
  }

  function box(name, words) {
    const made = document.createElement("div");
    made.className = made.part = name;
    made.dir = "auto";
    made.append(words ?? "");
    return made;
  }

  customElements.define(
    "message-text",
    class extends HTMLElement {
      static observedAttributes = ["slug", "section"];
      #shown;
      #timer;
      #asked = 0;
      #applied = 0;
      #ask = () => this.#check().catch(() => {});
      #look = () => document.hidden || this.#ask();

      constructor() {
        super();
        this.attachShadow({ mode: "open" }).adoptedStyleSheets = [style];
        this.#put(document.createElement("slot"));
      }

      connectedCallback() {
        this.#timer = setInterval(this.#look, EVERY);
        document.addEventListener("visibilitychange", this.#look);
        this.#ask();
      }

      disconnectedCallback() {
        clearInterval(this.#timer);
        document.removeEventListener("visibilitychange", this.#look);
      }

      attributeChangedCallback() {
        this.#shown = undefined;
        this.#applied = this.#asked;
        this.#put(document.createElement("slot"));
        if (this.isConnected) this.#ask();
      }

      #put(...nodes) {
        this.shadowRoot.replaceChildren(...nodes);
      }

      async #check() {
        const slug = this.getAttribute("slug");
        if (!slug) return;
        const asked = ++this.#asked;
        const section = this.getAttribute("section");
        const text = `${site}api/v1/pages/${encodeURIComponent(slug)}/approved${section ? `/sections/${encodeURIComponent(section)}` : ""}`;
        const get = (form) => fetch(text + form, { credentials: "omit", cache: "no-cache" });
        const answer = await get(policy || !globalThis.trustedTypes ? ".html" : ".txt");
        // Busy or broken says nothing about the text.
        if (answer.status >= 500 || answer.status === 429) return;
        const state = answer.ok ? answer.headers.get("etag") : String(answer.status);
        const body = await answer.text();
        // Slow answers come after the next question is asked.
        if (asked <= this.#applied) return;
        this.#applied = asked;
        if (state === this.#shown) return;
        this.#shown = state;
        if (answer.ok) return this.#put(this.#made(body, answer.headers.get("content-type"), `${site}pages/${encodeURIComponent(slug)}`));
        if (answer.status !== 409 && answer.status !== 410) return this.#put(document.createElement("slot"));
        const stopped = box("stopped", this.getAttribute("stopped") ?? "Stopped: do not use this text.");
        stopped.setAttribute("role", "alert");
        stopped.append(" ", JSON.parse(body).reason ?? "");
        this.#put(stopped);
      }

      #made(body, type, base) {
        if (!type.startsWith("text/html")) return box("plain", body);
        const made = box("text");
        copy(new DOMParser().parseFromString(policy ? policy.createHTML(body) : body, "text/html").body, made, base);
        return made;
      }
    },
  );
})();
