/* One question on the page: drawn, answered with keys or thumb, read back, and told. Texts come made safe from the
   server (quiz/practice/markup.py); everything else is set as text. */
(() => {
  "use strict";
  const Plumbline = (window.Plumbline = window.Plumbline || {});

  const element = (name, options = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(options)) {
      if (key === "html") made.innerHTML = value;
      else if (key === "text") made.textContent = value;
      else if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children.filter(Boolean));
    return made;
  };
  /* Where only words fit; of a picture what it is said to show. */
  const words = (html) => {
    const body = new DOMParser().parseFromString(html, "text/html").body;
    for (const picture of body.querySelectorAll("img")) picture.replaceWith(`[${picture.alt}]`);
    return body.textContent;
  };

  /* A choice is a real radio button or checkbox in a label as large as a thumb. */
  const choosing = (question, type) => {
    const box = element("div", { class: "quiz-choices", role: type === "radio" ? "radiogroup" : "group", "aria-labelledby": "stem" });
    question.choices.forEach((choice, index) => {
      const input = element("input", { type, name: "choice", value: choice.id, autocomplete: "off" });
      box.append(element("label", { class: "quiz-choice", "data-id": choice.id }, input,
        element("kbd", { class: "quiz-key only-wide", text: index < 9 ? String(index + 1) : "", "aria-hidden": "true" }),
        element("span", { class: "grow", dir: "auto", html: choice.text })));
    });
    const inputs = () => [...box.querySelectorAll("input")];
    const taken = () => inputs().filter((input) => input.checked).map((input) => input.value);
    return {
      box,
      press(number) {
        const input = inputs()[number - 1];
        if (!input || input.disabled) return;
        input.checked = type === "radio" ? true : !input.checked;
        input.focus({ preventScroll: true });
        box.dispatchEvent(new Event("change", { bubbles: true }));
      },
      read() {
        const all = taken();
        if (type === "radio") return all.length ? { choice: all[0] } : null;
        return all.length ? { choices: all } : null;
      },
      set(given) {
        const all = given.choices || [given.choice];
        for (const input of inputs()) input.checked = all.includes(input.value);
      },
      tell(right) {
        const all = taken();
        for (const label of box.children) {
          const id = label.dataset.id, isRight = right.choices.includes(id);
          label.classList.toggle("is-right", isRight);
          label.classList.toggle("is-wrong", !isRight && all.includes(id));
          if (isRight || all.includes(id)) label.append(element("span", { class: `badge ${isRight ? "badge-good" : "badge-bad"}`, text: isRight ? "right" : "wrong" }));
        }
      },
    };
  };

  const writing = (question) => {
    const isNumber = question.kind === "numeric";
    const input = element("input", { type: "text", id: "written", maxlength: 500, autocomplete: "off", autocapitalize: "off", spellcheck: "false", inputmode: isNumber ? "decimal" : "text" });
    const box = element("div", { class: "field" }, element("label", { for: "written", text: isNumber ? "Your number" : "Your answer" }), input);
    return {
      box,
      read: () => (input.value.trim() ? { text: input.value.trim() } : null),
      set: (given) => { input.value = given.text; },
      tell: (right) => { box.append(element("p", { class: "quiz-right" }, element("strong", { text: "Right: " }), right.texts.join(" or "))); },
    };
  };

  const matching = (question) => {
    const box = element("div", { class: "quiz-pairs" });
    for (const left of question.lefts) {
      const id = `left-${left.id}`;
      const select = element("select", { id, "data-left": left.id }, element("option", { value: "", text: "Pick one" }),
        ...question.rights.map((right) => element("option", { value: right.id, text: words(right.text) })));
      box.append(element("div", { class: "field" }, element("label", { for: id, html: left.text, dir: "auto" }), select));
    }
    const selects = () => [...box.querySelectorAll("select")];
    return {
      box,
      read() {
        const pairs = Object.fromEntries(selects().filter((one) => one.value).map((one) => [one.dataset.left, one.value]));
        return Object.keys(pairs).length === question.lefts.length ? { pairs } : null;
      },
      set(given) { for (const one of selects()) one.value = given.pairs[one.dataset.left] || ""; },
      tell(right) {
        for (const one of selects()) {
          const wanted = right.pairs[one.dataset.left], isRight = one.value === wanted;
          one.parentElement.classList.add(isRight ? "is-right" : "is-wrong");
          const told = isRight ? "Right" : `Right: ${words(question.rights.find((each) => each.id === wanted).text)}`;
          one.after(element("p", { class: "small quiz-right", text: told }));
        }
      },
    };
  };

  const ordering = (question) => {
    const list = element("ol", { class: "quiz-order plain-list" });
    const texts = Object.fromEntries(question.parts.map((part) => [part.id, part.text]));
    let isTouched = false;
    const move = (part, by) => {
      const other = by < 0 ? part.previousElementSibling : part.nextElementSibling;
      if (!other) return;
      if (by < 0) other.before(part); else other.after(part);
      isTouched = true;
      part.querySelector(by < 0 ? "[data-up]" : "[data-down]").focus();
      list.dispatchEvent(new Event("change", { bubbles: true }));
    };
    for (const part of question.parts) {
      const up = element("button", { type: "button", class: "button button-icon", "data-up": true, "aria-label": `Up: ${words(part.text)}`, text: "↑" });
      const down = element("button", { type: "button", class: "button button-icon", "data-down": true, "aria-label": `Down: ${words(part.text)}`, text: "↓" });
      const row = element("li", { class: "quiz-choice", "data-id": part.id }, element("span", { class: "grow", dir: "auto", html: part.text }), up, down);
      up.addEventListener("click", () => move(row, -1));
      down.addEventListener("click", () => move(row, 1));
      list.append(row);
    }
    const ids = () => [...list.children].map((row) => row.dataset.id);
    return {
      box: list,
      arrows: (by) => { const row = document.activeElement.closest?.(".quiz-order > li"); if (row) move(row, by); return Boolean(row); },
      read: () => ({ sequence: ids() }),
      isTouched: () => isTouched,
      set(given) { for (const id of given.sequence) list.append([...list.children].find((row) => row.dataset.id === id)); },
      tell(right) {
        list.after(element("div", { class: "quiz-right" }, element("strong", { text: "Right order" }),
          element("ol", {}, ...right.sequence.map((id) => element("li", { html: texts[id] })))));
      },
    };
  };

  const controlOf = (question) => {
    if (question.kind === "multiple") return choosing(question, "checkbox");
    if (question.choices) return choosing(question, "radio");
    if (question.kind === "matching") return matching(question);
    if (question.kind === "ordering") return ordering(question);
    return writing(question);
  };

  const HINTS = { multiple: "Choose all that apply.", ordering: "Put into the right order.", matching: "Find what belongs together." };

  const draw = (question) => {
    const control = controlOf(question);
    const stem = element("div", { class: "quiz-stem", id: "stem", tabindex: "-1", dir: "auto", html: question.stem });
    const hint = HINTS[question.kind] && element("p", { class: "small muted", text: HINTS[question.kind] });
    return { ...control, stem, parts: [stem, hint, control.box].filter(Boolean) };
  };

  /* `clauses`: the address under which each clause is looked up by its id. */
  const verdict = (result, clauses) => {
    const share = Number(result.share);
    const told = result.is_right ? ["notice-good", "Right"] : share > 0 ? ["notice-warn", `Partly right: ${Math.round(100 * share)} %`] : ["notice-bad", "Wrong"];
    const box = element("div", { class: "quiz-verdict", role: "status" }, element("div", { class: `notice ${told[0]}` }, element("p", {}, element("strong", { text: told[1] }))));
    for (const text of result.feedback) box.append(element("p", { dir: "auto", html: text }));
    if (result.explanation) box.append(element("div", { class: "quiz-why", dir: "auto", html: result.explanation }));
    for (const clause of result.clauses) {
      box.append(element("details", { class: "details quiz-clause" },
        element("summary", {}, element("strong", { text: clause.number }), ` ${clause.title} `, element("span", { class: "faint", text: clause.edition })),
        element("p", { class: "prewrap small", dir: "auto", text: clause.text || "Its text is not held here." }),
        element("p", { class: "small" }, element("a", { href: `${clauses}${clause.id}/`, target: "_blank", rel: "noopener", text: "Look it up in a tab of its own" }))));
    }
    if (!result.clauses.length && result.references.length) box.append(element("p", { class: "faint small", text: `Reference: ${result.references.join(", ")}` }));
    return box;
  };

  Plumbline.quiz = { draw, verdict, element };
})();
