/* Answers on their way to the server, one after the other, again until they are kept: the same answer sent twice is one.
   What has not arrived outlives the page: a tab that is closed or reloaded sends it when it comes back. */
(() => {
  "use strict";
  const LONGEST_PAUSE_MS = 15000;
  const pause = (ms) => new Promise((done) => {
    const over = () => { clearTimeout(timer); window.removeEventListener("online", over); done(); };
    const timer = setTimeout(over, ms);
    window.addEventListener("online", over);
  });

  class Refused extends Error {
    constructor(problem, status) {
      super(problem.detail || "This was not done.");
      this.code = problem.code || "";
      this.status = status;
    }
  }

  /* The answer's body; Refused when asking again is pointless. `told(true)` while there is no way through. */
  const post = async (url, body, told) => {
    const token = document.querySelector("input[name=csrfmiddlewaretoken]").value;
    for (let wait = 500; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
      let response;
      try {
        response = await fetch(url, { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json", "X-CSRFToken": token }, body: JSON.stringify(body) });
      } catch {
        told(true);
        await pause(wait);
        continue;
      }
      if (response.status === 429 || response.status >= 500) {
        told(true);
        await pause(Math.max(wait, 1000 * Math.min(60, Number(response.headers.get("Retry-After")) || 0)));
        continue;
      }
      told(false);
      const answer = await response.json().catch(() => ({}));
      if (!response.ok) throw new Refused(answer, response.status);
      return answer;
    }
  };

  /* In the order given, never two at once. `name`: under which the browser keeps what has not arrived. */
  const queue = (name, told) => {
    let last = Promise.resolve();
    const waiting = [];
    const left = () => {
      try { return JSON.parse(localStorage.getItem(name)) || []; } catch { return []; }
    };
    const keep = () => {
      try {
        if (waiting.length) localStorage.setItem(name, JSON.stringify(waiting));
        else localStorage.removeItem(name);
      } catch { /* without a store it is kept as long as the page */ }
    };
    const add = (url, body) => {
      const item = { url, body };
      waiting.push(item);
      keep();
      const isSignedOut = (error) => error instanceof Refused && (error.status === 401 || error.status === 403);
      const done = () => { waiting.splice(waiting.indexOf(item), 1); keep(); };
      const sent = last.then(() => post(url, body, told));
      sent.then(done, (error) => { if (!isSignedOut(error)) done(); });
      last = sent.catch(() => {});
      return sent;
    };
    return { add, left, waiting: () => waiting.length, empty: () => last };
  };

  Object.assign(window.Plumbline.quiz, { queue });
})();
