/* A sitting: all questions are here from the start, so the next one stands on the page before the answer to the last
   one has come back, and nobody waits for it longer than a moment. Exams tell nothing; their clock is the server's, read
   once. What an earlier page could not send is sent by this one. */
(() => {
  "use strict";
  const { draw, verdict, element, queue } = window.Plumbline.quiz;
  const { attempt, questions, urls } = JSON.parse(document.getElementById("sitting").textContent);
  const place = document.querySelector("[data-sitting]");
  const isExam = attempt.mode === "exam";
  const MOMENT_MS = 700; // of waiting for a verdict; a second click on the same button within it means nothing
  const openedAt = performance.now(), openedOn = Date.now();
  let at = Math.max(0, questions.findIndex((question) => !question.given));
  let shown, shownAt, isLeaving = false, isFinishing = false;

  const trouble = element("p", { class: "notice notice-warn", role: "status", hidden: true, text: "No connection. Your answers are kept here and sent as soon as there is one." });
  const saving = queue(`plumbline.quiz.${attempt.id}`, (isAway) => { trouble.hidden = !isAway; });
  const isDone = (question) => Boolean(question.given);
  const leave = () => { isLeaving = true; window.location.replace(urls.result); };

  const head = () => {
    const done = questions.filter(isDone).length;
    document.querySelector("[data-count]").textContent = `Question ${at + 1} of ${questions.length}${done ? `, ${done} answered` : ""}`;
    document.querySelector("[data-done]").value = done;
  };

  const show = (index, { focus = true } = {}) => {
    at = index;
    const question = questions[at];
    shown = draw(question);
    shownAt = performance.now();
    if (question.given) shown.set(question.given);
    const unsure = element("label", { class: "check quiz-unsure" }, element("input", { type: "checkbox", "data-unsure": true, autocomplete: "off" }), element("span", { text: "Not sure" }));
    const problem = element("p", { class: "field-error", role: "alert", "data-problem": true, hidden: true });
    const main = element("button", { type: "submit", class: "button button-primary quiz-main", "data-main": true });
    const back = element("button", { type: "button", class: "button button-icon", "data-back": true, "aria-label": "Question before", text: "←" });
    const on = element("button", { type: "button", class: "button button-icon", "data-on": true, "aria-label": "Next question", text: "→" });
    back.disabled = at === 0;
    on.disabled = at === questions.length - 1;
    const form = element("form", { class: "card quiz-card" }, ...shown.parts, problem, element("div", { "data-verdict": true }), element("div", { class: "quiz-bar" }, back, unsure, main, on));
    unsure.firstChild.checked = question.is_unsure;
    place.replaceChildren(form, trouble);
    place.removeAttribute("aria-busy");
    settle();
    head();
    if (focus) shown.stem.focus({ preventScroll: true });
    window.scrollTo({ top: 0 });
  };

  /* Just answered: the verdict is worth a moment. */
  const isHeld = (question) => question.isOnItsWay === true && !question.isSlow && !isExam;

  /* The buttons say what comes next. */
  const settle = () => {
    const question = questions[at], main = place.querySelector("[data-main]");
    const isOver = questions.every(isDone), isLast = at === questions.length - 1;
    if (isDone(question)) {
      for (const input of shown.box.querySelectorAll("input, select, button")) input.disabled = true;
      shown.box.matches("input, select") && (shown.box.disabled = true);
      place.querySelector("[data-unsure]").disabled = true;
      const told = place.querySelector("[data-verdict]");
      if (question.result && !place.querySelector(".quiz-verdict")) {
        shown.tell(question.result.right);
        told.replaceChildren(verdict(question.result, urls.clauses));
      } else if (!question.result && question.isSlow && !isExam) {
        told.replaceChildren(element("p", { class: "muted", role: "status", text: "Being checked. You can go on meanwhile: the result shows it too." }));
      }
      main.textContent = isOver ? (isExam ? "Hand in" : "See the result") : "Next";
    } else {
      main.textContent = isExam ? (isLast ? "Keep" : "Keep, next") : "Check";
    }
    main.disabled = isFinishing || isHeld(question);
  };

  const next = () => {
    const after = questions.findIndex((question, index) => index > at && !isDone(question));
    const open = after >= 0 ? after : questions.findIndex((question) => !isDone(question));
    if (open >= 0) show(open);
    else finish();
  };

  const finish = async () => {
    if (isLeaving || isFinishing) return;
    isFinishing = true;
    settle();
    await saving.empty();
    if (isExam) {
      isLeaving = true;
      try { await saving.add(urls.submit, {}); } catch { /* the page shows what became of it */ }
    }
    leave();
  };

  const refused = (question, error) => {
    if (error.status === 401 || error.status === 403) { window.location.assign(`${urls.signIn}?next=${encodeURIComponent(urls.result)}`); return; }
    if (error.status === 409) { window.location.reload(); return; }  // answered in another tab, or over
    question.given = null;
    question.isOnItsWay = false;
    isFinishing = false;
    const index = questions.indexOf(question);
    if (at !== index) show(index); else { for (const input of shown.box.querySelectorAll("input, select, button")) input.disabled = false; settle(); }
    const problem = place.querySelector("[data-problem]");
    problem.textContent = error.message;
    problem.hidden = false;
    head();
  };

  const send = (question, body) => {
    question.given = body.answer;
    question.is_unsure = body.is_unsure;
    question.isOnItsWay = true;
    const slow = setTimeout(() => { question.isSlow = true; if (questions[at] === question) settle(); }, MOMENT_MS);
    saving.add(urls.answers, body).finally(() => clearTimeout(slow)).then((told) => {
      question.isOnItsWay = false;
      question.result = told.result;
      if (questions[at] !== question) return;
      settle();
      if (!isExam && !isFinishing) place.querySelector("[data-main]").focus({ preventScroll: true });
    }, (error) => refused(question, error));
  };

  const answer = () => {
    const question = questions[at], given = shown.read();
    const problem = place.querySelector("[data-problem]");
    if (!given) { problem.textContent = question.kind === "matching" ? "Pick one for each." : "Answer first, or go on with the arrow."; problem.hidden = false; return; }
    problem.hidden = true;
    const isUnsure = place.querySelector("[data-unsure]").checked;
    send(question, { position: question.position, answer: given, is_unsure: isUnsure, seconds: Math.round((performance.now() - shownAt) / 100) / 10 });
    head();
    if (isExam && !questions.every(isDone)) next(); else settle();
  };

  const press = async () => {
    const question = questions[at];
    if (!isDone(question)) { answer(); return; }
    if (isHeld(question)) return;
    if (!questions.every(isDone)) { next(); return; }
    if (isExam && !(await window.Plumbline.ui.confirm("Hand the exam in? Nothing can be changed afterwards.", { action: "Hand in" }))) return;
    finish();
  };

  place.addEventListener("submit", (event) => { event.preventDefault(); press(); });
  place.addEventListener("click", (event) => {
    if (event.target.closest("[data-back]") && at > 0) show(at - 1);
    if (event.target.closest("[data-on]") && at < questions.length - 1) show(at + 1);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
    const isWriting = event.target.matches("input[type=text], select, textarea");
    if (event.key === "Enter" && !event.target.closest("button, a, summary, form")) { event.preventDefault(); press(); return; }
    if (event.key === "Enter" && event.target.matches("input[type=radio], input[type=checkbox], .quiz-stem")) { event.preventDefault(); press(); return; }
    if (isWriting) return;
    if (/^[1-9]$/.test(event.key) && shown.press && !isDone(questions[at])) { event.preventDefault(); shown.press(Number(event.key)); }
    else if (event.key === "ArrowLeft" && at > 0) { event.preventDefault(); show(at - 1); }
    else if (event.key === "ArrowRight" && at < questions.length - 1) { event.preventDefault(); show(at + 1); }
    else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && shown.arrows && !isDone(questions[at])) { if (shown.arrows(event.key === "ArrowUp" ? -1 : 1)) event.preventDefault(); }
    else if (event.key === "u" && !isDone(questions[at])) { const box = place.querySelector("[data-unsure]"); box.checked = !box.checked; }
  });

  window.addEventListener("beforeunload", (event) => { if (saving.waiting() && !isLeaving) event.preventDefault(); });

  if (attempt.seconds_left !== null) {
    const clock = document.querySelector("[data-clock]");
    const tick = () => {
      const passed = Math.max(performance.now() - openedAt, Date.now() - openedOn); // the first stands still in a sleeping laptop
      const left = Math.max(0, Math.ceil(attempt.seconds_left - passed / 1000));
      clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      clock.classList.toggle("is-short", left < 60);
      if (left === 0 && !isLeaving) finish();
    };
    tick();
    setInterval(tick, 500);
  }

  /* It has ended elsewhere: handed in on another device, or by the clock while this page slept. */
  document.addEventListener("live:notification", ({ detail }) => { if (detail.data.url === urls.result && !isLeaving) leave(); });

  /* What an earlier page could not send. What has arrived all the same needs nothing. */
  let isToBeHandedIn = false;
  for (const { body } of saving.left()) {
    const question = questions.find((each) => each.position === body.position);
    if (question && !question.given) send(question, body);
    else if (!question) isToBeHandedIn = true;
  }
  at = Math.max(0, questions.findIndex((question) => !question.given));
  show(at, { focus: false });
  if (questions.every(isDone) && (!isExam || isToBeHandedIn)) finish();
})();
