// The picker of CPV codes: its boxes and the text above are two views of the same list.
(() => {
  "use strict";
  const $ = (selector) => document.querySelector(selector);
  const codes = (text) => text.value.split(/[\s,;]+/).filter(Boolean);
  /** As it is kept: without the check digit and the zeros that say nothing. */
  const short = (code) => code.split("-")[0].replace(/^(\d\d)(\d*?)0*$/, "$1$2");

  document.addEventListener("DOMContentLoaded", () => {
    const text = $("[data-cpv-codes]");
    const picker = $("[data-cpv-picker]");
    if (!text || !picker) return;
    const boxes = [...picker.querySelectorAll("input")];

    function tick() {
      const chosen = new Set(codes(text).map(short));
      for (const box of boxes) box.checked = chosen.has(box.value);
    }

    picker.addEventListener("change", (event) => {
      const { value, checked } = event.target;
      const others = codes(text).filter((code) => short(code) !== value);
      text.value = (checked ? [...others, value] : others).join("\n");
    });
    text.addEventListener("input", tick);
    $("[data-cpv-filter]")?.addEventListener("input", (event) => {
      const words = event.target.value.trim().toLowerCase();
      for (const box of boxes) {
        const row = box.closest("label");
        row.hidden = !row.textContent.toLowerCase().includes(words);
      }
    });
    tick();
  });
})();
