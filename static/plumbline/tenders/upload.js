// A file of notices on its way: how much has been sent, then to the page of its import. Without script the browser
// sends the form.
(() => {
  "use strict";

  function show(form, name) {
    const box = form.querySelector("[data-upload-progress]");
    const text = document.createElement("p");
    text.className = "small";
    text.textContent = `Sending ${name}`;
    const bar = document.createElement("progress");
    bar.className = "progress";
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", `Sending ${name}`);
    box.replaceChildren(text, bar);
    return { bar, text, clear: () => box.replaceChildren() };
  }

  function answerOf(request) {
    try {
      return JSON.parse(request.responseText);
    } catch {
      return {};
    }
  }

  function send(form) {
    const input = form.querySelector('input[type="file"]');
    const [file] = input.files;
    if (!file) return;
    const parts = show(form, file.name);
    const request = new XMLHttpRequest();
    const failed = (message) => {
      parts.clear();
      window.Plumbline.ui.toast(`${file.name}: ${message}`, "error");
    };
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      parts.bar.value = total ? Math.floor((100 * loaded) / total) : 0;
      if (loaded === total) parts.text.textContent = "Sent; being stored";
    });
    request.addEventListener("error", () => failed("the connection broke. Nothing was uploaded; try again."));
    request.addEventListener("load", () => {
      const answer = answerOf(request);
      if (request.status === 201) location.assign(answer.url);
      else failed(answer.detail || "the server refused it. Try again; if it stays, tell your administrator.");
    });
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.send(new FormData(form));
    input.value = "";
    form.querySelector(".dropzone-files").textContent = "";
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-notices]");
    if (!form) return;
    event.preventDefault();
    send(form);
  });
})();
