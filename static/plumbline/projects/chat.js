// A project's chat: Enter sends, answers grow as they are made, messages of others come by themselves.
// Without the socket a message that waits asks for itself every few seconds (hx-trigger), and all is there on a reload.
(() => {
  "use strict";
  const chat = document.querySelector("[data-chat]");
  if (!chat) return;
  const log = chat.querySelector("#chat-log");
  const form = chat.querySelector("[data-chat-form]");
  const text = form.querySelector("textarea");
  const shown = (id) => document.getElementById(`message-${id}`);

  // --- writing ---------------------------------------------------------------------------------------------------------
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    if (text.value.trim()) form.requestSubmit();
  });

  chat.addEventListener("click", (event) => {
    const example = event.target.closest("[data-example]");
    if (!example) return;
    text.value = example.dataset.example || example.textContent.trim();
    text.focus();
  });

  form.addEventListener("htmx:afterRequest", (event) => {
    // A refusal counts as successful once it is shown in its place: then what was written stays.
    const { xhr } = event.detail;
    if (event.target !== form || !xhr || xhr.status >= 400 || xhr.status === 0) return;
    text.value = "";
    form.querySelector("[data-problem]").replaceChildren();
    text.focus();
  });

  // --- where one reads -------------------------------------------------------------------------------------------------
  const isAtEnd = () => window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 220;
  let follows = true;

  function follow() {
    if (follows) window.scrollTo({ top: document.documentElement.scrollHeight });
  }

  document.addEventListener("htmx:beforeSwap", () => (follows = isAtEnd()));
  document.addEventListener("htmx:afterSwap", (event) => {
    const isEmpty = !log.querySelector("[data-message]");
    chat.querySelector("[data-chat-empty]").hidden = !isEmpty;
    if (event.detail.requestConfig?.elt === form) follows = true;
    if (log.contains(event.target) || event.target === log) follow();
  });

  // --- answers as they are made ----------------------------------------------------------------------------------------
  document.addEventListener("live:chat_delta", ({ detail: { data } }) => {
    const message = shown(data.message_id);
    if (!message || message.dataset.status !== "waiting") return;
    follows = isAtEnd();
    if (data.step) message.querySelector("[data-chat-step]").textContent = `${data.step}…`;
    if (data.text) message.querySelector("[data-chat-text]").textContent = data.text;
    follow();
  });

  document.addEventListener("live:chat_message", ({ detail: { data } }) => {
    const message = shown(data.message_id);
    if (message) {
      const isNew = message.dataset.status !== data.status || message.dataset.proposal !== data.proposal;
      if (isNew) htmx.trigger(message, "chat-refresh");
    } else {
      arrive(data);
    }
  });

  // Of others, or of another window; one's own come with the form's answer, which may still be on its way.
  function arrive(data) {
    if (log.classList.contains("htmx-request") || form.classList.contains("htmx-request")) {
      setTimeout(() => shown(data.message_id) || arrive(data), 300);
      return;
    }
    const place = document.createElement("div");
    place.id = `message-${data.message_id}`;
    log.append(place);
    const url = chat.dataset.messageUrl.replace("00000000-0000-0000-0000-000000000000", data.message_id);
    htmx.ajax("GET", url, { target: place, swap: "outerHTML" });
  }

  // What came while the connection was gone.
  document.addEventListener("live:snapshot", ({ detail }) => {
    if (detail.resumed) return;
    for (const waiting of log.querySelectorAll('[data-status="waiting"]')) htmx.trigger(waiting, "chat-refresh");
  });

  // After the project's script has scrolled to the tab.
  document.addEventListener("DOMContentLoaded", () => {
    if (!location.hash && log.querySelector("[data-message]")) requestAnimationFrame(follow);
  });
})();
