// The calendar's address: one press copies it.
(() => {
  "use strict";

  async function copy(button) {
    const input = document.getElementById(button.dataset.copy);
    input.select();
    try {
      await navigator.clipboard.writeText(input.value);
      window.Plumbline.ui.toast("The address is copied.", "success");
    } catch {
      // Without https there is no clipboard for scripts: what is selected can be copied by hand.
      window.Plumbline.ui.toast("The address is selected. Copy it with Ctrl+C.");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });
})();
