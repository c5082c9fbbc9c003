// Buttons that copy a field: data-copy="id".
(() => {
  "use strict";
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      Plumbline.ui.toast("Copied.", "success");
    } catch {
      Plumbline.ui.toast("It is selected: copy it with Ctrl-C.", "info");
    }
  });
})();
