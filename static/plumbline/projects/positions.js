// The positions table under hand and keyboard: j/k or arrows move, Enter opens, / searches, Esc closes. Wide screens
// show the position beside the table; narrow ones go to its page.
(() => {
  "use strict";
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const wide = matchMedia("(min-width: 1001px)");
  const panel = () => $(".split-panel");

  // --- panel -------------------------------------------------------------------------------------------------------
  /** `goIn`: the focus follows, for whoever opened it by key would have to pass all rows to get there. */
  function open(link, { goIn = false } = {}) {
    const box = panel();
    box.hidden = false;
    box.closest(".split").classList.add("has-panel");
    htmx.ajax("GET", link.href, { target: box, swap: "innerHTML", source: box }).then(() => {
      box.scrollTop = 0;
      select();
      if (goIn) box.focus({ preventScroll: true });
    });
  }

  function close() {
    const box = panel();
    if (!box || box.hidden) return false;
    const row = selectedRow();
    box.hidden = true;
    box.replaceChildren();
    box.closest(".split").classList.remove("has-panel");
    select();
    row?.focus();
    return true;
  }

  const selectedRow = () => {
    const lineage = $("#position", panel() || document)?.dataset.lineage;
    return lineage ? document.getElementById(`p-${lineage}`) : null;
  };

  function select() {
    for (const row of $$(".positions-table tr.is-selected")) {
      row.classList.remove("is-selected");
      row.removeAttribute("aria-current");
    }
    const row = panel() && !panel().hidden ? selectedRow() : null;
    row?.classList.add("is-selected");
    row?.setAttribute("aria-current", "true");
  }

  // --- pointer -----------------------------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest("[data-panel-close]") && close()) {
      event.preventDefault();
      return;
    }
    const formClose = event.target.closest("[data-form-close]");
    if (formClose && $("#position-form")?.contains(formClose)) {
      event.preventDefault();
      $("#position-form").replaceChildren();
      htmx.trigger("#position", "refresh-position");
      return;
    }
    const link = event.target.closest("a[data-open]") || rowLink(event);
    if (!link) return;
    if (!wide.matches || !panel()) {
      if (!event.target.closest("a")) location.assign(link.href);
      return;
    }
    event.preventDefault();
    open(link, { goIn: event.detail === 0 }); // no click of a pointer: a key
  });

  /** A click anywhere in a row opens it, unless it was on something else to press, or text is being selected. */
  function rowLink(event) {
    const row = event.target.closest(".positions-table tbody tr");
    if (!row || event.target.closest("a, button, input, select, label")) return null;
    if (String(getSelection())) return null;
    row.focus({ preventScroll: true });
    return $("a[data-open]", row);
  }

  // --- keyboard ----------------------------------------------------------------------------------------------------
  const isWriting = (element) => element.matches?.("input, textarea, select, [contenteditable]");

  function move(step) {
    const rows = $$(".positions-table tbody tr");
    if (!rows.length) return false;
    const at = rows.indexOf(document.activeElement.closest?.("tr") || selectedRow());
    const row = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + step))];
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    if (wide.matches && panel() && !panel().hidden) open($("a[data-open]", row));
    return true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.key === "Escape") {
      if (isWriting(event.target)) event.target.blur();
      else if (close()) event.preventDefault();
      return;
    }
    if (isWriting(event.target)) return;
    const inTable = event.target.closest?.(".positions-table") || event.target === document.body || event.target.closest?.("#positions-scroll");
    const step = { j: 1, k: -1, ArrowDown: inTable ? 1 : 0, ArrowUp: inTable ? -1 : 0 }[event.key];
    if (step && move(step)) event.preventDefault();
    const row = event.target.closest?.(".positions-table tbody tr");
    if (event.key === "Enter" && row && event.target === row) $("a[data-open]", row).click();
  });

  // --- the filters show what the table shows, however it got there ---------------------------------------------------
  function syncFilters() {
    const region = $("#positions");
    const form = $("form#filters");
    if (!region || !form) return;
    for (const name of ["grade", "role", "section", "rule", "q", "sort"]) {
      const field = form.elements[name];
      if (!field || field === document.activeElement) continue;
      if (field.value !== region.dataset[name]) field.value = region.dataset[name];
    }
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (["positions", "panel", "position"].includes(event.detail.target?.id) || event.detail.elt?.id === "positions") {
      syncFilters();
      select();
    }
  });
})();
