// The jobs pages live: bars move with events; the list or the job is fetched anew when something began or ended.
(() => {
  "use strict";
  const numbers = new Intl.NumberFormat("en-GB");
  const ENDS = ["job_complete", "job_failed", "job_cancelled"];
  let timer = null;

  /** At most one fetch a second, however many jobs of a batch end. */
  function refresh() {
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      document.body.dispatchEvent(new CustomEvent("jobs-changed"));
    }, 1000);
  }

  function showJob(state) {
    const rows = document.querySelectorAll(`[data-job="${CSS.escape(state.job_id)}"]`);
    for (const row of rows) {
      const progress = row.querySelector("progress");
      if (!progress || row.dataset.status !== state.status) {
        refresh(); // another state has another shape
        continue;
      }
      if (state.total) progress.value = 100 * state.progress;
      else progress.removeAttribute("value");
      row.querySelector("[data-progress-step]").textContent = state.message;
      const count = state.total ? `${numbers.format(state.done)} of ${numbers.format(state.total)}` : "";
      row.querySelector("[data-progress-count]").textContent = count;
    }
    return rows.length > 0;
  }

  document.addEventListener("live:progress", (event) => showJob(event.detail.data) || refresh());
  for (const end of ENDS) document.addEventListener(`live:${end}`, refresh);
  document.addEventListener("live:snapshot", (event) => {
    if (event.detail.resumed) return; // the events that follow say it all
    for (const state of event.detail.data.jobs || []) showJob(state);
  });

  document.addEventListener("DOMContentLoaded", () => {
    for (const element of document.querySelectorAll("[data-channel]")) Plumbline.live?.join(element.dataset.channel);
  });
})();
