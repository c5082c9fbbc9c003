// The socket: one per page, joined channels, what was missed after a break, and whether what is shown is live.
//
//   const leave = Plumbline.live.join("project:…", (event) => …)   every frame of the channel: snapshot, progress, …
//   document: "live:<type>" (detail: the frame) for every event, once though it came on several channels;
//             "live:state" (detail: {state, code});
//             <html data-live="connecting | live | paused | reconnecting | offline">: paused is a connection on which nothing
//             comes, because the server itself is told nothing just now
//
// A snapshot has `resumed`: true when the events that follow continue without a gap after the last one seen here. Frames are
// described in docs/jobs.md.
(() => {
  "use strict";
  const root = document.documentElement;
  const Plumbline = (window.Plumbline = window.Plumbline || {});

  const FIRST_PAUSE_MS = 500;
  const LONGEST_PAUSE_MS = 30_000;
  const SILENCE_MS = 45_000; // the server says something every 30 s
  const ASK_AFTER_MS = 15_000;
  const TRIES_UNTIL_OFFLINE = 4;
  const SIGNED_OUT = 4401;
  const NOT_VISIBLE = 4404;
  const TOO_MUCH = 4429;
  const NOT_NOW = 4503;

  /** channel → {handlers: Set, seq: number of the last event seen, heardAt: of any frame} */
  const channels = new Map();
  let socket = null;
  let isOpen = false; // welcomed by the server
  let tries = 0;
  let retryTimer = null;
  let silenceTimer = null;
  let isOver = false; // signed out: asking again would change nothing

  // --- state ----------------------------------------------------------------------------------------------------------
  function show(state, code = null) {
    if (root.dataset.live === state) return;
    root.dataset.live = state;
    document.dispatchEvent(new CustomEvent("live:state", { detail: { state, code } }));
  }

  // --- said on the page, once it has lasted for a moment ----------------------------------------------------------------
  const SAID_AFTER_MS = 2500;
  const SAID = {
    paused: "Live updates are paused: a part of the server can't be reached. Work goes on; what this page shows may be some seconds old.",
    reconnecting: "The connection is lost and being made again. What this page shows is what was last received.",
    offline: "There is no connection to the server. What this page shows is what was last received.",
  };
  let sayTimer = null;

  document.addEventListener("live:state", ({ detail }) => {
    clearTimeout(sayTimer);
    if (SAID[detail.state]) sayTimer = setTimeout(tell, document.querySelector("#live-notice") ? 0 : SAID_AFTER_MS);
    else if (detail.state === "live") document.querySelector("#live-notice")?.remove();
  });

  function tell() {
    let box = document.querySelector("#live-notice");
    if (!box) {
      box = document.createElement("div");
      box.id = "live-notice";
      box.className = "notice notice-warn live-notice";
      box.setAttribute("role", "status");
      document.querySelector("#main")?.before(box);
    }
    box.textContent = SAID[root.dataset.live] || "";
  }

  // --- connection -----------------------------------------------------------------------------------------------------
  function connect() {
    clearTimeout(retryTimer);
    if (isOver || socket) return;
    show(tries >= TRIES_UNTIL_OFFLINE || !navigator.onLine ? "offline" : tries ? "reconnecting" : "connecting");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const opened = new WebSocket(`${scheme}//${location.host}/ws/`);
    socket = opened;
    listenForSilence();
    opened.addEventListener("message", (message) => {
      if (opened !== socket) return;
      listenForSilence();
      hear(JSON.parse(message.data));
    });
    opened.addEventListener("close", (event) => opened === socket && lost(event.code));
  }

  function lost(code) {
    drop();
    tries += 1;
    if (code === SIGNED_OUT || code === NOT_VISIBLE) {
      isOver = true;
      show("offline", code);
      return;
    }
    show(tries >= TRIES_UNTIL_OFFLINE || !navigator.onLine ? "offline" : "reconnecting", code);
    const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tries);
    // Jitter: after a restart of the server its thousand pages must not come back in one moment.
    const pause = (code === TOO_MUCH ? LONGEST_PAUSE_MS : 0) + FIRST_PAUSE_MS / 2 + Math.random() * longest;
    retryTimer = setTimeout(connect, pause);
  }

  function drop() {
    clearTimeout(silenceTimer);
    isOpen = false;
    const dropped = socket;
    socket = null;
    dropped?.close();
  }

  function listenForSilence() {
    clearTimeout(silenceTimer);
    silenceTimer = setTimeout(() => lost(0), SILENCE_MS);
  }

  function connectNow() {
    if (socket || isOver || !channels.size) return;
    tries = Math.min(tries, 1);
    connect();
  }

  function say(message) {
    if (isOpen) socket.send(JSON.stringify(message));
  }

  function ask(channel) {
    const since = channels.get(channel).seq;
    say(since ? { action: "join", channel, since } : { action: "join", channel });
  }

  // --- frames ---------------------------------------------------------------------------------------------------------
  function hear(frame) {
    if (frame.type === "welcome") {
      isOpen = true;
      tries = 0;
      show("live");
      for (const channel of channels.keys()) ask(channel);
    } else if (frame.type === "ping") {
      say({ action: "pong" });
    } else if (frame.type === "live") {
      show(frame.live ? "live" : "paused");
    } else if (frame.channel) {
      deliver(frame);
    }
  }

  function deliver(frame) {
    const joined = channels.get(frame.channel);
    if (!joined) return;
    joined.heardAt = Date.now();
    if (frame.type === "error" && frame.code === NOT_NOW) {
      show("paused");
      setTimeout(() => channels.has(frame.channel) && ask(frame.channel), FIRST_PAUSE_MS * (4 + 4 * Math.random()));
    }
    if (frame.seq !== undefined) {
      const isOld = frame.type !== "snapshot" && frame.seq <= joined.seq;
      if (isOld) return;
      // Of a snapshot that resumes, the events before its number are still to come.
      if (frame.type !== "snapshot" || !frame.resumed) joined.seq = frame.seq;
    }
    if (frame.type === "snapshot") show(frame.live ? "live" : "paused");
    for (const handler of joined.handlers) {
      try {
        handler(frame);
      } catch (error) {
        console.error(error);
      }
    }
    if (isFirst(frame)) document.dispatchEvent(new CustomEvent(`live:${frame.type}`, { detail: frame }));
  }

  // An event is said once: whoever was to say it may have been killed, or cut off from Redis. While the page shows work that
  // goes on, a channel on which nothing comes is asked for its state.
  const UNDER_WAY = '[data-job]:not([data-status="completed"], [data-status="failed"], [data-status="cancelled"])';
  setInterval(() => {
    if (document.hidden || !document.querySelector(UNDER_WAY)) return;
    for (const [channel, { heardAt }] of channels) {
      if (Date.now() - heardAt >= ASK_AFTER_MS) say({ action: "join", channel });
    }
  }, ASK_AFTER_MS / 3);

  // One event of a job is said on the job's, the project's and the person's channel: the page hears it once.
  const heard = [];

  function isFirst(frame) {
    if (!frame.data?.job_id) return true;
    const key = `${frame.type} ${frame.data.job_id} ${frame.timestamp}`;
    if (heard.includes(key)) return false;
    heard.push(key);
    if (heard.length > 200) heard.shift();
    return true;
  }

  // --- what pages call ------------------------------------------------------------------------------------------------
  /** Hear a channel; returns a function that ends it. May be called before there is a connection. */
  function join(channel, handler = () => {}) {
    let joined = channels.get(channel);
    if (!joined) channels.set(channel, (joined = { handlers: new Set(), seq: 0, heardAt: Date.now() }));
    const isNew = joined.handlers.size === 0;
    joined.handlers.add(handler);
    if (!isNew) joined.seq = 0; // whoever comes later needs the snapshot too
    if (isOpen) ask(channel);
    else if (!socket && retryTimer === null) connect();
    return () => {
      joined.handlers.delete(handler);
      if (joined.handlers.size || channels.get(channel) !== joined) return;
      channels.delete(channel);
      say({ action: "leave", channel });
    };
  }

  window.addEventListener("online", connectNow);
  window.addEventListener("offline", () => show("offline"));
  document.addEventListener("visibilitychange", () => document.hidden || connectNow());
  window.addEventListener("pageshow", (event) => event.persisted && connectNow());
  window.addEventListener("pagehide", drop);

  Plumbline.live = { join };

  if (root.dataset.userId) {
    join(`user:${root.dataset.userId}`);
    document.addEventListener("live:notification", (event) => {
      Plumbline.ui?.toast(event.detail.data.text, event.detail.data.level);
    });
  }
})();
