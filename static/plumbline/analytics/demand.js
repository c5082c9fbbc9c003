// The demand pages live (after plumbline/jobs.js, whose call `jobs-changed` the region on the page answers): somebody has
// asked, or something was refreshed. <… data-live-on="demand:shared=17 demand:…=4"> names the channels, each with the last
// move that the page shows.
(() => {
  "use strict";
  const PAUSE_MS = 700; // between two fetches, however fast demand moves
  const HELD_MS = 1500;
  const joined = new Set();
  let timer = null;
  let calledAt = 0;

  const region = () => document.querySelector("#demand[data-live-on]");

  /** Soon, and never twice at once. A page that nobody looks at waits until somebody does. */
  function call(pause = 0) {
    if (timer !== null) return;
    const wait = Math.max(pause, calledAt + PAUSE_MS - Date.now(), 50);
    timer = setTimeout(() => {
      timer = null;
      if (document.hidden) return;
      calledAt = Date.now();
      Plumbline.regions.call("jobs-changed");
    }, wait);
  }

  function shown() {
    return new Map((region()?.dataset.liveOn || "").split(" ").filter(Boolean).map((pair) => pair.split("=")));
  }

  function heard({ type, channel, seq }) {
    if (type === "demand_moved" || (type === "snapshot" && String(seq) !== shown().get(channel))) call();
  }

  function join() {
    for (const channel of shown().keys()) {
      if (joined.has(channel)) continue;
      joined.add(channel);
      Plumbline.live?.join(channel, heard);
    }
  }

  /** A menu or a list that is open would be closed under the reader's hand. */
  function isInHand() {
    const held = region();
    return Boolean(held?.querySelector("details[open]") || (held?.contains(document.activeElement) && document.activeElement.matches("select")));
  }

  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.requestConfig?.triggeringEvent?.type !== "jobs-changed" || !isInHand()) return;
    event.detail.shouldSwap = false;
    call(HELD_MS);
  });

  // --- what has changed is seen to have changed ---------------------------------------------------------------------------
  let before = new Map();
  const figures = () => document.querySelectorAll("#demand .stat-value [id], #demand [data-figure]");
  const nameOf = (element) => element.id || element.dataset.figure;

  function flash() {
    for (const element of figures()) {
      const was = before.get(nameOf(element));
      if (was !== undefined && was !== element.textContent) (element.closest("tr, .stat") || element).classList.add("is-changed");
    }
    remember();
  }

  function remember() {
    before = new Map([...figures()].map((element) => [nameOf(element), element.textContent]));
  }

  document.addEventListener("htmx:afterSettle", ({ target }) => {
    if (target.id !== "demand") return;
    flash();
    join();
    Plumbline.charts?.renew();
  });
  document.addEventListener("visibilitychange", () => document.hidden || call());

  // A refusal (too many presses, no longer yours) is told in its own words.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!detail.xhr.getResponseHeader("X-Refused")) return;
    const told = new DOMParser().parseFromString(detail.xhr.responseText, "text/html");
    Plumbline.ui.toast(told.body.textContent.trim(), "error");
  });
  document.addEventListener("DOMContentLoaded", () => {
    remember();
    join();
  });
})();
