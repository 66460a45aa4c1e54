// Searches headings and keys. The index is a script of its own, since a page that is a file may not fetch others.
const shownAtMost = 30;

const box = document.querySelector("search");
const query = document.querySelector("#query");
const results = document.querySelector("#results");
const count = results.querySelector("p");
const list = results.querySelector("ul");
const toTop = document.documentElement.dataset.top;

box.hidden = false;

query.addEventListener("input", show);
query.addEventListener("focus", show);

document.addEventListener("keydown", (event) => {
  const isTyping = document.activeElement === query;
  if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    query.focus();
  } else if (event.key === "Escape" && !results.hidden) {
    query.focus();
    results.hidden = true;
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event);
  else if (event.key === "Enter" && isTyping) list.querySelector("a")?.click();
});

document.addEventListener("focusin", ({ target }) => {
  if (!box.contains(target)) results.hidden = true;
});

document.addEventListener("click", ({ target }) => {
  if (!box.contains(target) || target.closest("a")) results.hidden = true;
});

function show() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  results.hidden = words.length === 0;
  const found = words.length === 0 ? [] : find(words);
  const more = found.length > shownAtMost ? `, the first ${shownAtMost} are shown` : "";
  count.textContent = found.length === 0 ? "Nothing found" : `${found.length} found${more}`;
  list.replaceChildren(...found.slice(0, shownAtMost).map(toItem));
}

/** Entries that have all words: those whose text begins with the first, then short ones. */
function find(words) {
  const scored = searchIndex.flatMap((entry) => {
    const text = entry[0].toLowerCase();
    const whole = `${text} ${entry[1].toLowerCase()}`;
    if (!words.every((word) => whole.includes(word))) return [];
    const place = text.indexOf(words[0]);
    const rank = text === words.join(" ") ? 0 : place === 0 ? 1 : place > 0 ? 2 : 3;
    return [{ entry, rank, length: text.length }];
  });
  return scored.sort((a, b) => a.rank - b.rank || a.length - b.length).map(({ entry }) => entry);
}

function toItem([text, page, address]) {
  const link = document.createElement("a");
  link.href = toTop + address;
  link.textContent = text;
  if (page !== text) {
    const where = document.createElement("small");
    where.textContent = page;
    link.append(where);
  }
  const item = document.createElement("li");
  item.append(link);
  return item;
}

/** The arrows go from the field through the results. */
function step(event) {
  if (results.hidden || !box.contains(document.activeElement)) return;
  const stops = [query, ...list.querySelectorAll("a")];
  const next = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
  event.preventDefault();
  stops[Math.max(0, Math.min(next, stops.length - 1))].focus();
}
