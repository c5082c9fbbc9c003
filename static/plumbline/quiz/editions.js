// Lists that are decided upon: one box ticks all of the page.
(() => {
  "use strict";
  const ticks = () => [...document.querySelectorAll("[data-tick]")];

  document.addEventListener("change", ({ target }) => {
    const all = document.querySelector("[data-tick-all]");
    if (target === all) for (const tick of ticks()) tick.checked = all.checked;
    else if (target.matches("[data-tick]") && all) {
      const chosen = ticks().filter((tick) => tick.checked).length;
      all.checked = chosen === ticks().length;
      all.indeterminate = chosen > 0 && !all.checked;
    }
  });
})();
