/* The inside of the editor's preview: draws what the editor sends, with what learners' pages draw with. */
(() => {
  "use strict";
  const { draw, verdict, element } = window.Plumbline.quiz;
  const place = document.getElementById("preview");
  let isTold = false;

  const show = ({ shown, theme }) => {
    document.documentElement.dataset.theme = theme;
    if (!shown) return;
    const drawn = draw(shown.question);
    const answer = element("div", { class: "quiz-verdict" });
    const tell = () => {
      drawn.set(given(shown));
      drawn.tell(shown.result.right);
      answer.replaceChildren(...[...verdict(shown.result, "").children].filter((each) => !each.matches(".notice")));
    };
    const form = element("form", { class: "card quiz-card" }, ...drawn.parts, answer);
    if (shown.result) {
      const button = element("button", { type: "button", class: "button", "aria-pressed": String(isTold), text: isTold ? "Hide the answer" : "Show the answer" });
      button.addEventListener("click", () => { isTold = !isTold; show({ shown, theme }); });
      form.append(element("div", { class: "quiz-bar" }, button));
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    place.replaceChildren(form);
    if (isTold && shown.result) tell();
  };

  /* The right answer, as a learner would have given it. */
  const given = ({ question, result: { right } }) => {
    if (right.choices) return question.kind === "multiple" ? { choices: right.choices } : { choice: right.choices[0] };
    if (right.texts) return { text: right.texts[0] || "" };
    return right;
  };

  window.addEventListener("message", (event) => {
    if (event.origin === window.location.origin && event.source === window.parent && event.data.name === "preview") show(event.data);
  });
  /* Pictures come later and change it. */
  new ResizeObserver(() => window.parent.postMessage({ name: "preview-height", height: place.scrollHeight }, window.location.origin)).observe(place);
  window.parent.postMessage({ name: "preview-ready" }, window.location.origin);
})();
