// The jobs pages live: bars move with events; the list or the job is fetched anew when something began or ended. Without
// live events the page asks by itself.
(() => {
  "use strict";
  const numbers = new Intl.NumberFormat("en-GB");
  const root = document.documentElement;
  const ENDS = ["job_complete", "job_failed", "job_cancelled"];
  const ENDED = ["completed", "failed", "cancelled"];
  const BATCH = "jobs.batch";
  const ASK_EVERY_MS = 4000;
  let timer = null;

  /** At most one fetch a second, however many jobs of a batch end. Never under a pressed button: its click would be lost. */
  function refresh(pause = 1000) {
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      if (isPressed || isLeaving) refresh(200);
      else Plumbline.regions.call("jobs-changed");
    }, pause);
  }

  let isPressed = false;
  let isLeaving = false; // a form is on its way: the page that answers shows everything anew
  const released = () => setTimeout(() => (isPressed = false), 100);
  document.addEventListener("pointerdown", () => (isPressed = true), true);
  document.addEventListener("pointerup", released, true);
  document.addEventListener("pointercancel", released, true);
  window.addEventListener("submit", (event) => (isLeaving = !event.defaultPrevented));
  window.addEventListener("pageshow", () => (isLeaving = false));
  // An answer to what was asked before the press or the form waits too.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (!isPressed && !isLeaving) return;
    event.detail.shouldSwap = false;
    refresh();
  });

  function left(seconds) {
    if (seconds === null || seconds === undefined) return "";
    const whole = Math.max(1, Math.round(seconds));
    const minutes = Math.floor(whole / 60);
    if (!minutes) return `about ${whole} s left`;
    return `about ${minutes} min${minutes < 10 && whole % 60 ? ` ${whole % 60} s` : ""} left`;
  }

  function put(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  function showJob(state) {
    const shown = document.querySelectorAll(`[data-job="${CSS.escape(state.job_id)}"]`);
    for (const element of shown) {
      const progress = element.querySelector("progress");
      if (element.dataset.status !== state.status || state.status === "retrying") refresh(); // another shape
      if (!progress || element.dataset.status !== state.status) continue;
      if (state.total) progress.value = 100 * state.progress;
      else progress.removeAttribute("value");
      put(element.querySelector("[data-progress-step]"), state.message);
      const count = state.total ? `${numbers.format(state.done)} of ${numbers.format(state.total)}` : "";
      put(element.querySelector("[data-progress-count]"), count);
      if (element.matches("tr")) continue;
      const rest = left(state.eta_seconds);
      put(element.querySelector("[data-job-eta]"), state.kind === BATCH && rest ? `, ${rest}` : rest);
      if (state.kind === BATCH) showChildren(element, state.detail);
    }
    return shown.length > 0;
  }

  /** How many children are in which state; the rows below follow within a second. */
  function showChildren(page, counts) {
    for (const element of page.querySelectorAll("[data-children]")) {
      const text = numbers.format(counts[element.dataset.children] || 0);
      if (element.textContent !== text) refresh();
      put(element, text);
    }
  }

  document.addEventListener("live:progress", (event) => {
    const { data } = event.detail;
    // Of the children of a batch a page shows some: what its others do moves the counts, not the rows.
    if (!showJob(data) && (!data.batch_id || !document.querySelector("[data-children]"))) refresh();
  });
  for (const end of ENDS) document.addEventListener(`live:${end}`, () => refresh());
  document.addEventListener("live:snapshot", (event) => {
    const states = event.detail.data.jobs || [];
    for (const state of states) showJob(state);
    // What ended while nobody was told: shown as going on, and not among those that do.
    const active = new Set(states.map((state) => state.job_id));
    if (event.detail.channel.startsWith("user:")) {
      for (const row of document.querySelectorAll("#jobs [data-job]")) {
        if (!ENDED.includes(row.dataset.status) && !active.has(row.dataset.job)) refresh();
      }
    }
  });

  // --- without live events ---------------------------------------------------------------------------------------------
  /** A job that has ended stays as it is; the list may always grow. */
  function mayChange() {
    const job = document.querySelector("#job");
    return !job || !ENDED.includes(job.dataset.status);
  }

  let wasLost = false;
  document.addEventListener("live:state", ({ detail }) => {
    if (detail.state === "live" && wasLost) refresh();
    wasLost = !["live", "connecting"].includes(detail.state);
  });
  setInterval(() => {
    if (root.dataset.live !== "live" && navigator.onLine && !document.hidden && mayChange()) refresh();
  }, ASK_EVERY_MS);
  // The server may be away as a whole: what is shown stays, and the page says that it is not live.
  for (const failure of ["htmx:sendError", "htmx:responseError"]) {
    document.addEventListener(
      failure,
      (event) => {
        if (event.detail.requestConfig?.triggeringEvent?.type !== "jobs-changed") return;
        if (event.detail.xhr.status && event.detail.xhr.status < 500) return; // signed out: that is to be said
        event.stopImmediatePropagation();
        refresh(ASK_EVERY_MS);
      },
      true,
    );
  }

  document.addEventListener("DOMContentLoaded", () => {
    for (const element of document.querySelectorAll("[data-channel]")) Plumbline.live?.join(element.dataset.channel);
  });
})();
