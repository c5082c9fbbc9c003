// What the pages share: menus, theme, toasts, dialogs, tabs, drop zones, traffic bars. Works by delegation, so that
// whatever htmx brings in later behaves without being set up. Offers window.Plumbline.ui.
(() => {
  "use strict";
  const root = document.documentElement;
  const Plumbline = (window.Plumbline = window.Plumbline || {});
  const $ = (selector, within = document) => within.querySelector(selector);

  // --- theme: system -> light -> dark -> system ---------------------------------------------------------------------
  const THEMES = { system: "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };

  function theme() {
    return root.dataset.theme || "system";
  }

  function setTheme(name) {
    if (name === "system") delete root.dataset.theme;
    else root.dataset.theme = name;
    try {
      if (name === "system") localStorage.removeItem("plumbline.theme");
      else localStorage.setItem("plumbline.theme", name);
    } catch {
      // Not remembered, but it holds for this page.
    }
    showTheme();
    document.dispatchEvent(new CustomEvent("plumbline:theme", { detail: { theme: name } }));
  }

  function showTheme() {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.setAttribute("aria-label", THEMES[theme()]);
      button.title = THEMES[theme()];
      for (const icon of button.querySelectorAll("[data-theme-icon]")) {
        icon.toggleAttribute("hidden", icon.dataset.themeIcon !== theme());
      }
    }
  }

  // --- toasts -------------------------------------------------------------------------------------------------------
  /** Show a message. level: info | success | warning | error. Errors stay until closed. Returns the element. */
  function toast(message, level = "info") {
    // Said once: without a server, every region of the page fails alike.
    for (const other of document.querySelectorAll("#toasts .toast")) {
      if ($(".toast-text", other).textContent === message) other.remove();
    }
    const box = document.createElement("div");
    box.className = `toast toast-${level}`;
    const text = document.createElement("div");
    text.className = "toast-text";
    text.textContent = message;
    box.append(text);
    $("#toasts").append(box);
    return prepareToast(box);
  }

  function prepareToast(box) {
    if (!$(".toast-close", box)) {
      const close = document.createElement("button");
      close.type = "button";
      close.className = "button button-quiet button-icon toast-close";
      close.setAttribute("aria-label", "Close");
      close.textContent = "×";
      close.addEventListener("click", () => box.remove());
      box.append(close);
    }
    if (!box.classList.contains("toast-error")) fadeLater(box);
    return box;
  }

  function fadeLater(box) {
    let timer = setTimeout(() => box.remove(), 7000);
    const stay = () => clearTimeout(timer);
    const leave = () => (timer = setTimeout(() => box.remove(), 3000));
    box.addEventListener("pointerenter", stay);
    box.addEventListener("focusin", stay);
    box.addEventListener("pointerleave", leave);
  }

  // --- dialogs ------------------------------------------------------------------------------------------------------
  /** Ask in our own dialog: resolves true or false. */
  function confirm(question, { action = "Continue", danger = false } = {}) {
    const dialog = $("#confirm-dialog");
    $("[data-confirm-text]", dialog).textContent = question;
    const yes = $("[data-confirm-yes]", dialog);
    yes.textContent = action;
    yes.classList.toggle("button-danger", danger);
    yes.classList.toggle("button-primary", !danger);
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
    });
  }

  async function confirmSubmit(event) {
    const form = event.target;
    const asker = event.submitter?.dataset.confirm ? event.submitter : form;
    if (!asker.dataset.confirm || form.dataset.confirmed) {
      delete form.dataset.confirmed;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const submitter = event.submitter;
    const options = { action: asker.dataset.confirmAction, danger: "confirmDanger" in asker.dataset };
    if (!(await confirm(asker.dataset.confirm, options))) return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(submitter);
  }

  // --- tabs ---------------------------------------------------------------------------------------------------------
  function selectTab(tab) {
    for (const other of tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')) {
      const chosen = other === tab;
      other.setAttribute("aria-selected", String(chosen));
      other.tabIndex = chosen ? 0 : -1;
      const panel = document.getElementById(other.getAttribute("aria-controls"));
      if (panel) panel.hidden = !chosen;
    }
    tab.dispatchEvent(new CustomEvent("plumbline:tab", { bubbles: true }));
  }

  function moveInTabs(event) {
    const tab = event.target.closest?.('[role="tab"]');
    if (!tab) return;
    const tabs = [...tab.closest('[role="tablist"]').querySelectorAll('[role="tab"]')];
    const at = tabs.indexOf(tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    next.focus();
    selectTab(next);
  }

  // --- drop zones: the input stays a real one, so a keyboard and a form without script work too ----------------------
  function listFiles(zone) {
    const input = $('input[type="file"]', zone);
    const list = $(".dropzone-files", zone);
    if (list) list.textContent = [...input.files].map((file) => file.name).join(", ");
    if (input.files.length && "autosubmit" in zone.dataset) input.form?.requestSubmit();
  }

  function dropFiles(event) {
    const zone = event.target.closest?.("[data-dropzone]");
    if (!zone) {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); // a near miss must not leave the page
      return;
    }
    event.preventDefault();
    zone.classList.remove("is-over");
    const input = $('input[type="file"]', zone);
    const files = new DataTransfer();
    const wanted = input.multiple ? [...event.dataTransfer.files] : [...event.dataTransfer.files].slice(0, 1);
    for (const file of wanted) files.items.add(file);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  // --- traffic bars -------------------------------------------------------------------------------------------------
  const GRADES = ["red", "amber", "green", "not_checked"];

  /** Update a bar made by {% traffic %}. counts: {green, amber, red, not_checked}. The same shares as the server's. */
  function traffic(element, counts) {
    const total = GRADES.reduce((sum, grade) => sum + (counts[grade] || 0), 0);
    let x = 0;
    for (const grade of GRADES) {
      const width = total ? (100 * (counts[grade] || 0)) / total : 0;
      for (const rect of element.querySelectorAll(`rect[data-grade="${grade}"]`)) {
        rect.setAttribute("x", `${x}%`);
        rect.setAttribute("width", `${width}%`);
      }
      x += width;
      const number = $(`[data-count="${grade}"]`, element);
      if (number) number.textContent = (counts[grade] || 0).toLocaleString("en-GB");
    }
    const said = GRADES.map((grade) => `${counts[grade] || 0} ${grade.replace("_", " ")}`).join(", ");
    $(".traffic-bar", element).setAttribute("aria-label", total ? said : "Nothing graded yet");
  }

  // --- the connection's state, in words -----------------------------------------------------------------------------
  const LIVE = {
    live: "Live",
    connecting: "Connecting",
    paused: "Live updates paused",
    reconnecting: "Reconnecting",
    offline: "Offline: showing what was last received",
  };

  function showLive() {
    const text = $("[data-live-text]");
    if (!text) return;
    text.textContent = LIVE[root.dataset.live] || "";
    text.closest(".live").title = text.textContent;
  }

  // --- wiring -------------------------------------------------------------------------------------------------------
  function clicked(event) {
    const at = (selector) => event.target.closest?.(selector);
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const navToggle = at("[data-nav-toggle]");
    if (navToggle) {
      const open = $("#nav").toggleAttribute("data-open");
      navToggle.setAttribute("aria-expanded", String(open));
    }
    if (at("[data-theme-toggle]")) setTheme({ system: "light", light: "dark", dark: "system" }[theme()]);
    const opener = at("[data-dialog-open]");
    if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();
    if (at("[data-dialog-close]")) at("dialog")?.close();
    if (event.target.matches?.("dialog.dialog")) event.target.close(); // the backdrop is the dialog itself
    const tab = at('[role="tab"]');
    if (tab) selectTab(tab);
  }

  function keyed(event) {
    moveInTabs(event);
    if (event.key !== "Escape") return;
    const menu = event.target.closest?.("details.menu[open]");
    if (menu) {
      menu.open = false;
      $("summary", menu).focus();
    }
  }

  function over(event) {
    const zone = event.target.closest?.("[data-dropzone]");
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
    zone?.classList.add("is-over");
  }

  function changed(event) {
    const zone = event.target.closest?.("[data-dropzone]");
    if (zone) listFiles(zone);
    if ("autosubmit" in event.target.dataset) event.target.form?.requestSubmit();
  }

  document.addEventListener("click", clicked);
  document.addEventListener("keydown", keyed);
  document.addEventListener("submit", confirmSubmit, true);
  document.addEventListener("change", changed);
  document.addEventListener("dragover", over);
  document.addEventListener("dragleave", (event) => event.target.closest?.("[data-dropzone]")?.classList.remove("is-over"));
  document.addEventListener("drop", dropFiles);
  document.addEventListener("toast", (event) => toast(event.detail.message, event.detail.level)); // HX-Trigger: toast
  document.addEventListener("htmx:confirm", (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    confirm(event.detail.question).then((yes) => yes && event.detail.issueRequest(true));
  });
  document.addEventListener("htmx:sendError", () => toast("The server can't be reached. Nothing was changed.", "error"));
  document.addEventListener("htmx:responseError", (event) => {
    const status = event.detail.xhr.status;
    if (status === 401 || status === 403) toast("You are signed out, or may not do this. Sign in again.", "error");
    else if (status >= 500) toast("The server failed at this. Try again; if it stays, tell your administrator.", "error");
  });
  new MutationObserver(showLive).observe(root, { attributes: true, attributeFilter: ["data-live"] });

  document.addEventListener("DOMContentLoaded", () => {
    showTheme();
    showLive();
    document.querySelectorAll("#toasts .toast").forEach(prepareToast);
  });

  Plumbline.ui = { toast, confirm, traffic, setTheme };
})();
