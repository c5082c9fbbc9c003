// Uploads with progress: forms marked data-upload, and files dropped anywhere on the page. Without script the forms
// are sent by the browser.
(() => {
  "use strict";
  const ui = () => window.Plumbline.ui;
  const $ = (selector, within = document) => within.querySelector(selector);

  /** One line in the page's [data-upload-progress]: the name, a bar, and in the end what went wrong. */
  function line(name) {
    const box = document.createElement("div");
    box.className = "upload-line";
    const text = document.createElement("div");
    text.className = "progress-text";
    const label = document.createElement("span");
    label.textContent = `Sending ${name}`;
    const share = document.createElement("span");
    text.append(label, share);
    const bar = document.createElement("progress");
    bar.className = "progress";
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", `Sending ${name}`);
    box.append(text, bar);
    $("[data-upload-progress]").append(box);
    return { box, label, share, bar };
  }

  function show(parts, loaded, total) {
    const percent = total ? Math.floor((100 * loaded) / total) : 0;
    parts.bar.value = percent;
    parts.share.textContent = `${percent} %`;
    if (percent === 100) parts.label.textContent = "Sent; being stored";
  }

  function answerOf(request) {
    try {
      return JSON.parse(request.responseText);
    } catch {
      return {};
    }
  }

  /** Sends one file to the form's address. Resolves to the answer, or null after having said what went wrong. */
  function send(form, file) {
    const parts = line(file.name);
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("csrfmiddlewaretoken", $('[name="csrfmiddlewaretoken"]', form).value);
    body.append("file", file, file.name);
    const look = $('[name="preview_only"]:checked', document); // look first, import later
    if (look) body.append(look.name, look.value);
    return new Promise((resolve) => {
      const failed = (message) => {
        parts.box.remove();
        ui().toast(`${file.name}: ${message}`, "error");
        resolve(null);
      };
      request.upload.addEventListener("progress", (event) => show(parts, event.loaded, event.total));
      request.addEventListener("error", () => failed("the connection broke. Nothing was uploaded; try again."));
      request.addEventListener("load", () => {
        const answer = answerOf(request);
        if (request.status >= 400) {
          failed(answer.detail || "the server refused it. Try again; if it stays, tell your administrator.");
          return;
        }
        parts.box.remove();
        resolve(answer);
      });
      request.open("POST", form.action);
      request.setRequestHeader("Accept", "application/json");
      request.send(body);
    });
  }

  async function upload(form, files) {
    const answers = [];
    for (const file of files) {
      const answer = await send(form, file); // one after the other: the order is the order of the documents
      if (answer) answers.push(answer);
    }
    const last = answers.at(-1);
    if (!last) return;
    if (new URL(last.url, location.href).pathname !== location.pathname && "drop" in form.dataset) {
      location.assign(last.url);
      return;
    }
    for (const answer of answers) ui().toast(answer.message, "success");
    document.body.dispatchEvent(new CustomEvent("project-changed"));
    document.body.dispatchEvent(new CustomEvent("project-uploaded"));
  }

  const pageForm = () => $("form[data-upload]");

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-upload]");
    if (!form) return;
    event.preventDefault();
    const input = $('input[type="file"]', form);
    const files = [...input.files];
    input.value = "";
    const names = $(".dropzone-files", form);
    if (names) names.textContent = "";
    if (files.length) upload(form, files);
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-file-input]")) event.target.form.requestSubmit();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-choose-file]")) $("[data-file-input]")?.click();
    const link = event.target.closest("[data-dialog-link]");
    if (link) event.preventDefault(); // the dialog opens instead; without script the link leads to the form's page
  });

  // --- drop anywhere: dragenter and dragleave come for every element that is crossed, so they are counted -------------
  let depth = 0;
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

  function overlay(shown) {
    const box = $("[data-drop-overlay]");
    if (box) box.hidden = !shown;
  }

  document.addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth += 1;
    overlay(true);
  });
  document.addEventListener("dragleave", (event) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth - 1);
    if (depth === 0) overlay(false);
  });
  document.addEventListener("drop", (event) => {
    depth = 0;
    overlay(false);
    const form = pageForm();
    if (!form || !carriesFiles(event) || event.target.closest?.("[data-dropzone]")) return; // ui.js serves the zones
    event.preventDefault();
    const files = [...event.dataTransfer.files];
    if (files.length) upload(form, $('input[type="file"]', form).multiple ? files : files.slice(0, 1));
  });
})();
