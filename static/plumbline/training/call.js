// A call's page live: its bar moves with events, and the page is fetched anew when a step has ended, a grade or a note has
// come. What somebody is typing is never taken away: then the page says that there is something new. Recordings are
// played from the turn whose time is pressed.
(() => {
  "use strict";
  const PAUSE_MS = 300;
  const ASK_EVERY_MS = 4000;
  const page = () => document.querySelector("[data-call]");
  let timer = null;
  let hasTyped = false; // and not sent it
  let isPressed = false; // a click on what is swapped under it would be lost
  const isWriting = () => hasTyped || document.querySelector(".training-write") !== null;

  function refresh(pause = PAUSE_MS) {
    if (timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      if (isPressed) refresh();
      else if (isWriting()) tell();
      else Plumbline.regions.call("training-changed");
    }, pause);
  }

  function tell() {
    if (document.querySelector("#call-news")) return;
    const box = document.createElement("div");
    box.id = "call-news";
    box.className = "notice notice-info training-news";
    box.setAttribute("role", "status");
    const words = document.createElement("p");
    words.textContent = "This call has changed while you write.";
    const again = document.createElement("a");
    again.className = "button button-small";
    again.href = page().getAttribute("hx-get");
    again.textContent = "Show it as it is now";
    box.append(words, again);
    page().before(box);
  }

  document.addEventListener("input", (event) => {
    if (event.target.closest?.("[data-call] form")) hasTyped = true;
  });
  window.addEventListener("submit", (event) => event.defaultPrevented || (hasTyped = false));
  const released = () => setTimeout(() => (isPressed = false), 100);
  document.addEventListener("pointerdown", () => (isPressed = true), true);
  document.addEventListener("pointerup", released, true);
  document.addEventListener("pointercancel", released, true);
  // An answer that was asked for before the press, or before the first letter.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.requestConfig?.triggeringEvent?.type !== "training-changed") return;
    if (!isPressed && !isWriting()) return;
    event.detail.shouldSwap = false;
    refresh();
  });

  function showJob(state) {
    const box = document.querySelector(`[data-job="${CSS.escape(state.job_id)}"]`);
    if (!box) return false;
    const bar = box.querySelector("progress");
    if (!state.total) return true;
    bar.value = 100 * state.progress;
    const words = box.querySelector("[data-progress-step]");
    if (words.textContent !== state.message) {
      words.textContent = state.message;
      refresh(); // a step has ended: what it has found can be looked at
    }
    box.querySelector("[data-progress-count]").textContent = `${state.done} of ${state.total}`;
    return true;
  }

  function hear(frame) {
    if (frame.type === "snapshot") {
      for (const state of frame.data.jobs || []) if (!showJob(state)) refresh();
      if (frame.data.status && frame.data.status !== page()?.dataset.status) refresh();
    } else if (frame.type === "progress") {
      if (!showJob(frame.data)) refresh();
    } else {
      refresh();
    }
  }

  // Without live events, work that goes on is asked about.
  setInterval(() => {
    const isLive = document.documentElement.dataset.live === "live";
    if (!isLive && navigator.onLine && !document.hidden && document.querySelector("[data-working], [data-call] [data-job]")) refresh();
  }, ASK_EVERY_MS);

  // What others do to the call (a grade, a note, the end of its review) is told to the learner as a notification.
  document.addEventListener("live:notification", ({ detail }) => {
    if (detail.data.url && detail.data.url.startsWith(page()?.getAttribute("hx-get"))) refresh();
  });

  document.addEventListener("click", (event) => {
    const time = event.target.closest?.("[data-seek]");
    const player = time && document.querySelector("[data-recording]");
    if (!player) return;
    const play = () => {
      player.currentTime = Number(time.dataset.seek);
      player.play();
    };
    if (player.readyState) play();
    else {
      player.addEventListener("loadedmetadata", play, { once: true });
      player.load();
    }
  });

  // The field that an answer brought in is written in at once.
  document.addEventListener("htmx:afterSettle", ({ target }) => target.querySelector?.(".training-write textarea")?.focus());

  document.addEventListener("DOMContentLoaded", () => {
    if (page()) Plumbline.live?.join(page().dataset.channel, hear);
    document.querySelector(".training-write textarea")?.focus();
  });
})();
