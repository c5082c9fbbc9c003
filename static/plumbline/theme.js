// Runs before the first paint, so that a page never flashes in the other theme.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  let chosen = null;
  try {
    chosen = localStorage.getItem("plumbline.theme");
  } catch {
    // Storage may be forbidden: the system's theme it is.
  }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
})();
