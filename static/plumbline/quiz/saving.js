/* Answers on their way to the server, one after the other, again until they are kept: the same answer sent twice is one. */
(() => {
  "use strict";
  const LONGEST_PAUSE_MS = 15000;
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));

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

  /* In the order given, never two at once. */
  const queue = (told) => {
    let last = Promise.resolve(), waiting = 0;
    const add = (url, body) => {
      waiting += 1;
      const sent = last.then(() => post(url, body, told)).finally(() => { waiting -= 1; });
      last = sent.catch(() => {});
      return sent;
    };
    return { add, waiting: () => waiting, empty: () => last };
  };

  Object.assign(window.Plumbline.quiz, { queue });
})();
