// The editor of a rubric: buttons that change the rows (add, move, remove, find) fetch the rows alone, and what is focused
// stays so. Without script each of them loads the page anew. Leaving with unsaved changes asks first.
(() => {
  "use strict";
  const form = () => document.querySelector("[data-editor]");
  let isChanged = false;
  let isBusy = false;

  async function step(what, focus) {
    if (isBusy) return;
    isBusy = true;
    isChanged = true;
    const sent = new FormData(form());
    sent.set("do", what);
    try {
      const answer = await fetch(location.href, { method: "POST", body: sent, redirect: "error" });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.querySelector("#rubric").replaceWith(document.adoptNode(page.querySelector("#rubric")));
      focusOn(what, focus);
    } catch {
      Plumbline.ui.toast("The server can't be reached. What you have written is still here.", "error");
    } finally {
      isBusy = false;
    }
  }

  /** A new row is written in; a moved one keeps its button; after a removal the list itself. */
  function focusOn(what, id) {
    if (what.startsWith("add:")) {
      const rows = document.querySelectorAll("#rubric .training-row");
      rows[rows.length - 1]?.querySelector('input[name$="-name"]')?.focus();
      return;
    }
    let found = document.getElementById(id);
    if (found?.disabled) found = document.getElementById(id.startsWith("up") ? id.replace("up", "down") : id.replace("down", "up"));
    (found || document.querySelector("#add-behaviour")).focus();
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-step]");
    if (!button) return;
    event.preventDefault();
    step(button.value, button.id);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-step-change]")) step("show", event.target.id);
  });
  document.addEventListener("keydown", (event) => {
    const field = event.target.closest?.("[data-step-enter]");
    if (!field || event.key !== "Enter") return;
    event.preventDefault();
    step(document.getElementById(field.dataset.stepEnter).value, field.id);
  });
  document.addEventListener("input", (event) => event.target.closest?.("[data-editor]") && (isChanged = true));
  window.addEventListener("submit", () => (isChanged = false));
  window.addEventListener("beforeunload", (event) => isChanged && event.preventDefault());
})();
