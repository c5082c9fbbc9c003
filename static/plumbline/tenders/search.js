// The search of tenders by keyboard (j, k, Enter, /), and its facets, which are folded on a phone.
(() => {
  "use strict";
  const $ = (selector) => document.querySelector(selector);
  const narrow = matchMedia("(max-width: 900px)");
  const isWriting = (element) => element.matches?.("input:not([type=checkbox]), textarea, select");

  function move(step) {
    const links = [...document.querySelectorAll("a[data-tender]")];
    if (!links.length) return;
    const card = document.activeElement?.closest?.(".tender-card");
    const at = links.findIndex((link) => link.closest(".tender-card") === card);
    const to = links[Math.max(0, Math.min(links.length - 1, at < 0 ? 0 : at + step))];
    to.focus({ preventScroll: true });
    to.closest(".tender-card").scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.key === "Escape" && isWriting(event.target)) event.target.blur();
    if (isWriting(event.target)) return;
    const step = { j: 1, k: -1 }[event.key];
    if (step) move(step);
  });

  // Of a facet that takes one choice, choosing another takes the first back. Before htmx reads the form.
  document.addEventListener(
    "change",
    (event) => {
      if (!event.target.matches("[data-single]") || !event.target.checked) return;
      for (const other of document.querySelectorAll(`[data-single][name="${event.target.name}"]`)) {
        if (other !== event.target) other.checked = false;
      }
    },
    true,
  );

  // What was added by hand has become a facet that is ticked: its box is free for the next.
  document.addEventListener("htmx:afterSettle", (event) => {
    const box = $("#cpv-more");
    if (event.detail.target?.id === "results" && box && box !== document.activeElement) box.value = "";
  });

  function fold() {
    const box = $("[data-facets]");
    if (box) box.open = !narrow.matches;
  }
  narrow.addEventListener("change", fold);
  document.addEventListener("DOMContentLoaded", fold);
})();
