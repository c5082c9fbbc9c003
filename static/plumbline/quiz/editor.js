/* The question editor: rows of answers that fit the kind, and a preview without reloading. Without this script the
   form still saves: all groups are shown, and empty rows are left out. */
(() => {
  "use strict";
  const form = document.getElementById("question");
  const frame = form.querySelector(".qe-frame");
  const kind = form.elements.kind;
  const touched = new Set();
  let last = form.elements.stem, asked = null, timer = 0, isChanged = false, isSent = false, told = null;

  /* --- groups and rows --- */
  const suit = () => {
    for (const group of form.querySelectorAll("[data-kinds]")) group.hidden = !group.dataset.kinds.split(" ").includes(kind.value);
  };

  const renumber = (group) => {
    const name = group.dataset.rows, rows = [...group.querySelectorAll("[data-row]")];
    rows.forEach((row, at) => {
      for (const field of row.querySelectorAll("[name], [data-field], [for]")) {
        for (const attribute of ["name", "id", "for", "data-field"]) {
          const value = field.getAttribute(attribute);
          if (value) field.setAttribute(attribute, value.replace(new RegExp(`(^|_)${name}-(\\d+|__prefix__)-`), `$1${name}-${at}-`));
        }
      }
      row.querySelector("[data-up]").disabled = at === 0;
      row.querySelector("[data-down]").disabled = at === rows.length - 1;
    });
    form.elements[`${name}-TOTAL_FORMS`].value = rows.length;
    group.querySelector("[data-add]").disabled = rows.length >= Number(form.elements[`${name}-MAX_NUM_FORMS`].value);
  };

  const add = (group) => {
    const row = group.querySelector("template").content.firstElementChild.cloneNode(true);
    group.querySelector(".qe-rows").append(row);
    renumber(group);
    row.querySelector("textarea, input").focus();
  };

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    const group = button && button.closest("[data-rows]"), row = button && button.closest("[data-row]");
    if (!group) return;
    if (button.matches("[data-add]")) add(group);
    else if (button.matches("[data-remove]")) {
      const next = row.nextElementSibling || row.previousElementSibling;
      row.remove();
      (next ? next.querySelector("textarea, input") : group.querySelector("[data-add]")).focus();
    } else if (button.matches("[data-up]") && row.previousElementSibling) row.previousElementSibling.before(row);
    else if (button.matches("[data-down]") && row.nextElementSibling) row.nextElementSibling.after(row);
    else return;
    renumber(group);
    if (button.isConnected && !button.disabled && row) button.focus();
    changed();
  });

  /* Of a single choice only one is right. */
  form.addEventListener("change", (event) => {
    const box = event.target;
    if (kind.value !== "single" || !/^choices-\d+-is_right$/.test(box.name) || !box.checked) return;
    for (const other of form.querySelectorAll("[name$='-is_right']")) if (other !== box) other.checked = false;
  });

  /* --- the preview --- */
  const problemAt = (name) => [...form.querySelectorAll("[data-field]")].find((each) => each.dataset.field === name);

  const mark = (problems) => {
    for (const field of form.querySelectorAll("[data-field]")) {
      const name = field.dataset.field, error = field.querySelector(".qe-error");
      const reason = touched.has(name) || (name === "answers" && [...touched].some((each) => /-\d+-|truth/.test(each))) ? (problems[name] || []).join(" ") : "";
      error.textContent = reason;
      error.hidden = !reason;
      field.classList.toggle("is-wrong", Boolean(reason));
    }
    const lines = Object.entries(problems).map(([name, reasons]) => {
      const line = document.createElement("li"), label = name !== "answers" && problemAt(name)?.querySelector("label");
      line.textContent = `${label ? `${label.textContent.trim()}: ` : ""}${reasons.join(" ")}`;
      return line;
    });
    const list = document.createElement("ul"), head = document.createElement("p");
    head.textContent = lines.length ? "It can't be asked like this yet:" : "It can be asked like this.";
    list.append(...lines);
    document.getElementById("problems").replaceChildren(head, list);
    document.getElementById("problems").classList.toggle("is-fine", !lines.length);
  };

  const send = () => {
    if (told) frame.contentWindow.postMessage({ name: "preview", shown: told, theme: document.documentElement.classList.contains("dark") ? "dark" : "light" }, window.location.origin);
  };

  const preview = async () => {
    asked?.abort();
    asked = new AbortController();
    try {
      const response = await fetch(form.dataset.preview, { method: "POST", body: new FormData(form), signal: asked.signal, credentials: "same-origin" });
      if (!response.ok) throw new Error(String(response.status));
      const answer = await response.json();
      told = answer.shown || told;
      send();
      mark(answer.problems);
    } catch (error) {
      if (error.name !== "AbortError") document.getElementById("problems").textContent = "The preview can't be made now. What you write stays here; try to save it.";
    }
  };

  const changed = () => {
    isChanged = true;
    clearTimeout(timer);
    timer = setTimeout(preview, 250);
  };

  form.addEventListener("input", (event) => { if (event.target.name) changed(); });
  form.addEventListener("change", (event) => {
    if (event.target === kind) suit();
    if (event.target.name) { touched.add(event.target.name); changed(); }
  });
  form.addEventListener("focusout", (event) => { if (event.target.matches("textarea")) last = event.target; });
  form.addEventListener("submit", () => { isSent = true; });
  window.addEventListener("beforeunload", (event) => { if (isChanged && !isSent) event.preventDefault(); });
  window.addEventListener("message", (event) => {
    if (event.origin !== window.location.origin || event.source !== frame.contentWindow) return;
    if (event.data.name === "preview-ready") send();
    if (event.data.name === "preview-height") frame.style.height = `${Math.min(Math.max(160, event.data.height + 4), 0.65 * window.innerHeight)}px`;
  });
  new MutationObserver(send).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  form.querySelector("[data-wide]").addEventListener("click", (event) => {
    const isPhone = frame.classList.toggle("is-phone");
    event.target.setAttribute("aria-pressed", String(isPhone));
  });

  /* --- pictures --- */
  const file = document.getElementById("picture"), said = document.getElementById("picture-said");
  file.addEventListener("change", async () => {
    const chosen = file.files[0];
    file.value = "";
    if (!chosen) return;
    if (form.elements.markup.value === "plain") {
      said.textContent = "Plain text has no pictures: choose Markdown or HTML above.";
      return;
    }
    const body = new FormData();
    body.append("picture", chosen);
    body.append("bank", form.elements.bank.value);
    body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    said.textContent = "Sending…";
    let answer;
    try {
      const response = await fetch(form.dataset.picture, { method: "POST", body, credentials: "same-origin" });
      answer = await response.json();
      if (!response.ok) throw new Error(answer.detail);
    } catch (error) {
      said.textContent = error.message || "The picture could not be sent.";
      return;
    }
    const about = answer.name.replace(/\.\w+$/, "").replace(/[[\]()"<>\n]/g, " ");
    const text = form.elements.markup.value === "html" ? `<img src="${answer.address}" alt="${about}">` : `![${about}](${answer.address})`;
    last.setRangeText(text, last.selectionStart, last.selectionEnd, "end");
    last.focus();
    said.textContent = "Inserted. Say in its brackets what it shows, for those who can't see it.";
    changed();
  });

  for (const group of form.querySelectorAll("[data-rows]")) renumber(group);
  suit();
  preview();
})();
