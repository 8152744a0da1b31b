// Titles while somebody types: every <input data-suggest> becomes a combobox. Without this file the form searches.

const PAUSE = 120;
let count = 0;

function option(row, id) {
  const item = document.createElement("li");
  item.id = id;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  item.dataset.page = row.page;
  const title = document.createElement("bdi");
  title.textContent = row.title;
  item.append(title);
  if (row.status === "approved") {
    const chip = document.createElement("span");
    chip.className = "chip chip-approved";
    chip.textContent = "Approved";
    item.append(" ", chip);
  }
  return item;
}

function suggest(input) {
  const name = `titles-${(count += 1)}`;
  const list = document.createElement("ul");
  const status = document.createElement("span");
  list.id = name;
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.dataset.list);
  status.className = "vh";
  status.setAttribute("role", "status");
  input.after(list, status);
  input.setAttribute("role", "combobox");
  input.setAttribute("autocomplete", "off");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", name);
  input.setAttribute("aria-expanded", "false");

  let timer = 0;
  let asking = null;
  let chosen = -1;

  const choose = (index) => {
    chosen = index;
    [...list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
    if (index < 0) input.removeAttribute("aria-activedescendant");
    else {
      input.setAttribute("aria-activedescendant", list.children[index].id);
      list.children[index].scrollIntoView({ block: "nearest" });
    }
  };
  const close = () => {
    clearTimeout(timer);
    asking?.abort();
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    choose(-1);
  };
  const show = (rows) => {
    list.replaceChildren(...rows.map((row, at) => option(row, `${name}-${at}`)));
    list.hidden = rows.length === 0;
    input.setAttribute("aria-expanded", String(rows.length > 0));
    status.textContent = rows.length === 1 ? input.dataset.one : input.dataset.many.replace("{n}", rows.length);
    choose(-1);
  };
  const ask = async () => {
    asking?.abort();
    asking = new AbortController();
    try {
      const typed = encodeURIComponent(input.value.trim());
      const answer = await fetch(`/api/v1/suggest?q=${typed}`, { signal: asking.signal });
      if (answer.ok) show((await answer.json()).data);
    } catch {
      // Stopped by the next letter, or no network: the form still searches.
    }
  };
  const open = (item) => {
    location.href = `/pages/${encodeURIComponent(item.dataset.page)}`;
  };

  input.addEventListener("input", () => {
    if (input.value.trim() === "") return close();
    clearTimeout(timer);
    timer = setTimeout(ask, PAUSE);
  });
  input.addEventListener("keydown", (event) => {
    const last = list.children.length - 1;
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") choose(chosen < last ? chosen + 1 : 0);
    else if (event.key === "ArrowUp") choose(chosen > 0 ? chosen - 1 : last);
    else if (event.key === "Enter" && chosen >= 0) open(list.children[chosen]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  });
  // On a slow line somebody has typed before this file is here.
  if (input.value.trim() && document.activeElement === input) ask();
  input.addEventListener("blur", close);
  // Before the input loses the focus, which closes the list.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (item) open(item);
  });
}

document.querySelectorAll("input[data-suggest]").forEach(suggest);
