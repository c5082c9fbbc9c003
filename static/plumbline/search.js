// The search box: opened by Ctrl-K on every page, by "/" where the page has no search of its own. Results as one
// types, Enter for the answer page.
(() => {
  "use strict";
  const WAIT_MS = 180;
  const box = () => document.getElementById("search-box");
  const form = () => box().querySelector("form");
  const input = () => box().querySelector("input");
  const list = () => document.getElementById("search-options");
  const said = () => box().querySelector("[data-search-said]");
  const HINT = "Enter: the answer with its sources";
  let timer = 0;
  let asking = null; // the request under way, to be given up when another letter is typed
  let chosen = -1;

  function open() {
    if (!box().open) box().showModal();
    input().focus();
    input().select();
  }

  function options() {
    return [...list().children];
  }

  function choose(at) {
    const all = options();
    chosen = all.length ? (at + all.length + 1) % (all.length + 1) : -1;
    if (chosen === all.length) chosen = -1; // beyond the last stands the question itself
    all.forEach((option, place) => option.setAttribute("aria-selected", String(place === chosen)));
    const option = all[chosen];
    if (option) input().setAttribute("aria-activedescendant", option.id);
    else input().removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function show(results) {
    list().replaceChildren(...results.map(optionOf));
    list().hidden = !results.length;
    input().setAttribute("aria-expanded", String(results.length > 0));
    choose(-1);
  }

  function optionOf(result, place) {
    const option = document.createElement("li");
    option.id = `search-option-${place}`;
    option.setAttribute("role", "option");
    option.dataset.url = result.url;
    const name = document.createElement("strong");
    name.dir = "auto";
    name.append(...marked(result.name, result.highlights));
    const type = document.createElement("span");
    type.className = "badge badge-outline";
    type.textContent = result.entity_type;
    const excerpt = document.createElement("small");
    excerpt.dir = "auto";
    excerpt.append(...marked(result.excerpt, result.highlights));
    option.append(name, type, excerpt);
    return option;
  }

  function marked(text, words) {
    if (!words.length) return [text];
    const any = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).sort((a, b) => b.length - a.length);
    return text.split(new RegExp(`(?<![\\p{L}\\p{N}])(${any.join("|")})(?![\\p{L}\\p{N}])`, "u")).map((piece, place) => {
      if (place % 2 === 0) return piece;
      const mark = document.createElement("mark");
      mark.textContent = piece;
      return mark;
    });
  }

  async function ask() {
    const q = input().value.trim();
    asking?.abort();
    if (!q) {
      show([]);
      said().textContent = HINT;
      return;
    }
    const mine = (asking = new AbortController());
    try {
      const query = new URLSearchParams({ q, typing: "1", limit: "8" });
      const answer = await fetch(`${form().dataset.search}?${query}`, { signal: mine.signal, headers: { Accept: "application/json" } });
      const told = await answer.json();
      if (asking !== mine) return;
      show(answer.ok ? told.results : []);
      said().textContent = answer.ok ? (told.results.length ? `${told.results.length} shown. ${HINT}` : `Nothing is found yet. ${HINT}`) : told.detail;
    } catch (error) {
      if (error.name === "AbortError" || asking !== mine) return;
      show([]);
      said().textContent = "The server can't be reached. Enter tries again.";
    }
  }

  function typed(event) {
    if (event.target !== input()) return;
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT_MS);
  }

  function keyed(event) {
    const isShortcut = event.key === "k" && (event.ctrlKey || event.metaKey) && !event.altKey;
    const isSlash = event.key === "/" && !event.ctrlKey && !event.metaKey && !event.altKey && !isWriting(event.target);
    if ((isShortcut || isSlash) && !document.querySelector("dialog[open]:not(#search-box)")) {
      event.preventDefault();
      const own = isSlash && document.querySelector("input[data-search]"); // a page's own search comes first
      if (own) own.focus();
      else open();
    } else if (event.target === input() && !event.isComposing) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        choose(event.key === "ArrowDown" ? chosen + 1 : chosen < 0 ? options().length - 1 : chosen - 1);
      } else if (event.key === "Enter" && chosen >= 0) {
        event.preventDefault();
        location.assign(options()[chosen].dataset.url);
      }
    }
  }

  function isWriting(element) {
    return element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  }

  function clicked(event) {
    if (event.target.closest?.("[data-search-open]") && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      open();
    }
    const option = event.target.closest?.("#search-options [role=option]");
    if (option) location.assign(option.dataset.url);
    if (event.target === box()) box().close(); // the backdrop
  }

  if (!box()) return;
  document.addEventListener("keydown", keyed);
  document.addEventListener("click", clicked);
  document.addEventListener("input", typed);
  box().addEventListener("submit", (event) => {
    if (!input().value.trim()) event.preventDefault();
  });

  // The answer that a model words comes after the page. If it can't be fetched the page says so.
  for (const failure of ["htmx:sendError", "htmx:responseError"]) {
    document.addEventListener(failure, (event) => {
      if (event.target.id !== "answer") return;
      event.target.removeAttribute("aria-busy");
      event.target.querySelector("[role=status]").textContent =
        "The answer could not be fetched. What was found is below; reload the page to ask again.";
    });
  }
})();
