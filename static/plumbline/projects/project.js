// A project's pages live: job bars move with progress events, regions fetch themselves anew when the budget changed.
// Also shows refusals where they belong. Regions listen for `project-changed` and `project-jobs` on the body.
(() => {
  "use strict";
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const GRADES = ["red", "amber", "green", "not_checked"];
  const numbers = new Intl.NumberFormat("en-GB");

  // A page brought back from a copy would show an old table over live events: going back asks the server.
  htmx.config.historyCacheSize = 0;
  htmx.config.refreshOnHistoryMiss = true;

  // --- calls to refresh, gathered: an audit says many things at once --------------------------------------------------
  const waiting = new Map();

  function call(name, delay) {
    if (waiting.has(name)) return;
    waiting.set(
      name,
      setTimeout(() => {
        waiting.delete(name);
        Plumbline.regions.call(name);
        refreshPosition();
      }, delay),
    );
  }

  const changed = () => call("project-changed", 400);
  const jobsChanged = () => call("project-jobs", 100);

  /** The open position, unless somebody is writing in it, or has a form open or on its way: closing it refreshes. */
  function refreshPosition() {
    const position = $("#position[hx-get]");
    if (!position || $("form[data-dirty], details[open], #position-form form, .htmx-request", position)) return;
    if (position.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) return;
    htmx.trigger(position, "refresh-position");
  }

  // --- job bars ----------------------------------------------------------------------------------------------------
  function eta(seconds) {
    if (seconds === null || seconds === undefined) return "";
    const whole = Math.max(1, Math.round(seconds));
    const minutes = Math.floor(whole / 60);
    if (!minutes) return `about ${whole} s left`;
    return `about ${minutes} min${minutes < 10 && whole % 60 ? ` ${whole % 60} s` : ""} left`;
  }

  function showJob(data) {
    const bars = $$(`[data-job="${CSS.escape(data.job_id)}"]`);
    for (const bar of bars) {
      const progress = $("progress", bar);
      const isCounting = data.total > data.done; // a total that only follows what is done tells nothing
      if (isCounting) progress.value = Math.min(100, 100 * data.progress);
      else progress.removeAttribute("value");
      $("[data-progress-step]", bar).textContent = data.message || "";
      $("[data-progress-count]", bar).textContent = isCounting
        ? `${numbers.format(data.done)} of ${numbers.format(data.total)}`
        : data.done ? numbers.format(data.done) : "";
      const left = $("[data-job-eta]", bar);
      if (left) left.textContent = isCounting && data.progress > 0.01 ? eta(data.eta_seconds) : "";
      const counts = data.detail?.counts;
      const grades = $("[data-job-grades]", bar);
      if (grades && counts) {
        grades.hidden = false;
        for (const grade of GRADES) $(`[data-job-count="${grade}"]`, grades).textContent = numbers.format(counts[grade] || 0);
      }
    }
    return bars.length > 0;
  }

  // --- events ------------------------------------------------------------------------------------------------------
  const ENDED = ["job_complete", "job_failed", "job_cancelled"];
  const CHANGES = ["position_updated", "budget_recalculated", "document_uploaded"];

  function heard({ type, data }) {
    if (type === "snapshot") compare(data);
    else if (type === "progress" && !showJob(data)) jobsChanged();
    else if (ENDED.includes(type)) {
      if (type === "job_failed") tellFailure(data);
      jobsChanged();
      changed();
    } else if (CHANGES.includes(type)) {
      if (type !== "document_uploaded") call("project-options", 700);
      changed();
    }
  }

  /** A project's own page says why, and what to do, where it stays: a long message on top would only cover that. */
  function tellFailure({ title, error }) {
    if ($("#summary")) window.Plumbline.ui.toast(`${title}: not done. The reason is on this page.`, "warning");
    else window.Plumbline.ui.toast(`${title}: ${error}`, "error");
  }

  /** What happened between the page's making and now, or while the connection was gone. */
  function compare(data) {
    const jobs = data.jobs || [];
    const shown = jobs.filter(showJob).length;
    const stale = $$("[data-job]").filter((bar) => !jobs.some((job) => job.job_id === bar.dataset.job));
    const summary = $("#summary");
    const isOld = summary && (summary.dataset.version !== String(data.version) || summary.dataset.audited !== String(data.audited_version ?? ""));
    if (shown < jobs.length || stale.length) jobsChanged();
    if (isOld || stale.length) changed(); // a job that failed has changed its document, not the version
  }

  const joined = new Map();

  /** Channels are named by the elements that show them; those that left the page are left. */
  function join() {
    const live = window.Plumbline?.live;
    if (!live) return;
    const wanted = new Set($$("[data-channel]").map((element) => element.dataset.channel));
    for (const [channel, leave] of joined) {
      if (wanted.has(channel)) continue;
      leave();
      joined.delete(channel);
    }
    for (const channel of wanted) {
      if (!joined.has(channel)) joined.set(channel, live.join(channel, heard));
    }
  }

  // Without a connection the page asks by itself, as long as something is under way.
  setInterval(() => {
    if (document.documentElement.dataset.live !== "live" && $("[data-job]") && !document.hidden) {
      jobsChanged();
      changed();
    }
  }, 5000);

  // --- counts beside the filters follow the summary ------------------------------------------------------------------
  function copyCounts() {
    for (const source of $$("#summary [data-count-of]")) {
      const shown = $(`[data-count-shown="${source.dataset.countOf}"]`);
      if (shown) shown.textContent = source.textContent;
    }
  }

  // --- the first version, the first audit: what asked to wait for them fetches itself anew ----------------------------
  function showArrived() {
    const summary = $("#summary");
    if (!summary) return;
    const has = (name) => !["", "0"].includes(summary.dataset[name]);
    for (const button of $$("[data-needs-positions]")) button.disabled = !has("positions");
    const waiting = $("[data-until]");
    if (waiting && has(waiting.dataset.until)) htmx.trigger(waiting, "arrived");
  }

  // --- scrolling stays where it was when the table is fetched anew ---------------------------------------------------
  let kept = null;

  document.addEventListener("htmx:beforeSwap", (event) => {
    const answer = event.detail.xhr;
    if (answer.getResponseHeader("X-Refused")) showRefusal(event, answer);
    const box = $("#positions-scroll");
    const quiet = event.detail.requestConfig?.elt?.id === "positions";
    kept = event.detail.target?.id === "positions" && box && quiet ? { top: box.scrollTop, left: box.scrollLeft } : null;
    const panel = $(".split-panel");
    panelTop = event.detail.target?.id === "position" && panel ? panel.scrollTop : null;
  });
  let panelTop = null;

  document.addEventListener("htmx:afterSwap", (event) => {
    const box = $("#positions-scroll");
    if (kept && box) box.scrollTo(kept.left, kept.top);
    kept = null;
    const panel = $(".split-panel");
    if (panelTop !== null && panel) panel.scrollTop = panelTop;
    panelTop = null;
    copyCounts();
    showArrived();
    join();
  });

  // --- refusals: in the form they answer, else as a message ----------------------------------------------------------
  // While DEBUG is on, django-htmx writes any answer of 400, 403 or 404 over the whole page. A refusal is no accident.
  window.addEventListener(
    "htmx:beforeOnLoad",
    (event) => event.detail.xhr.getResponseHeader("X-Refused") && event.stopPropagation(),
    true,
  );

  function showRefusal(event, answer) {
    const asker = event.detail.requestConfig?.elt;
    event.detail.isError = false;
    if (answer.getResponseHeader("X-Refused") === "form") {
      const form = $("#position-form") || asker.closest("article");
      event.detail.shouldSwap = true;
      event.detail.target = form;
      // A form alone goes into the article that it was in: the next answer looks for that article.
      const isWhole = answer.responseText.includes('id="position"');
      event.detail.swapOverride = form.id === "position-form" || !isWhole ? "innerHTML" : "outerHTML";
      return;
    }
    const slot = asker?.closest("form") ? $("[data-problem]", asker.closest("form")) : asker?.closest("[data-problem]");
    if (slot) {
      event.detail.shouldSwap = true;
      event.detail.target = slot;
      event.detail.swapOverride = "innerHTML";
      return;
    }
    const said = new DOMParser().parseFromString(answer.responseText, "text/html").body.textContent.trim();
    event.detail.shouldSwap = false;
    window.Plumbline.ui.toast(said, "error");
  }

  // A search box asks while it is typed in. Its `change`, on leaving it, would ask again: after "clear the filters", say.
  document.addEventListener("change", (event) => event.target.matches("[data-search]") && event.stopPropagation(), true);

  document.addEventListener("DOMContentLoaded", () => {
    join();
    copyCounts();
    $(".tab[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  });
})();
