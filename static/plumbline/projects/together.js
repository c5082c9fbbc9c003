// Who else is in the project, said every twenty seconds and at once when somebody comes or goes; and a word to whoever
// is changing a position that somebody else has just saved.
(() => {
  "use strict";
  const EVERY_MS = 20_000;
  const header = document.querySelector("[data-here-url]");
  if (!header) return;
  const $ = (selector) => document.querySelector(selector);
  const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

  /** The lineage of the position whose form is open. */
  function editing() {
    const form = $("form#edit-form, form.conflict-form");
    return form ? form.closest("[data-lineage]")?.dataset.lineage || form.dataset.lineage || "" : "";
  }

  async function say() {
    if (document.hidden) return;
    const body = new URLSearchParams({ editing: editing() });
    try {
      const answer = await fetch(header.dataset.hereUrl, {
        method: "POST",
        body,
        headers: { "X-CSRFToken": token(), "HX-Request": "true" },
      });
      if (!answer.ok) return;
      const made = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#here");
      if (made) $("#here")?.replaceWith(made);
    } catch {
      // Nothing is shown of people while there is no connection: the page says that already.
    }
    warnOfCompany();
  }

  /** Two people in one form find out before either saves. */
  function warnOfCompany() {
    const form = $("form#edit-form");
    const mine = editing();
    const other = mine && [...document.querySelectorAll(".here-person")].find((each) => each.dataset.editing === mine);
    let said = form?.querySelector("[data-company]");
    if (!form || !other) return said?.remove();
    if (said) return undefined;
    said = document.createElement("p");
    said.className = "notice notice-warn";
    said.dataset.company = "";
    said.setAttribute("role", "status");
    said.textContent = `${other.title.split(",")[0]} has this position open for changing too.`;
    form.prepend(said);
    return undefined;
  }

  async function compare() {
    const form = $("form#edit-form");
    const seen = form?.querySelector("[name=seen]");
    const lineage = editing();
    if (!seen || !lineage || form.querySelector("[data-behind]")) return;
    const answer = await fetch(header.dataset.seenUrl.replace("00000000-0000-0000-0000-000000000000", lineage));
    if (!answer.ok) return;
    const now = (await answer.json()).seen;
    if (String(now) === seen.value) return;
    const said = document.createElement("p");
    said.className = "notice notice-warn";
    said.dataset.behind = "";
    said.setAttribute("role", "alert");
    said.textContent = now
      ? "Somebody has changed this position while you were writing. Save, and you will see both values and choose."
      : "Somebody has removed this position while you were writing.";
    form.prepend(said);
  }

  let timer = null;
  const soon = (what, ms) => {
    clearTimeout(timer);
    timer = setTimeout(what, ms);
  };

  document.addEventListener("live:presence", () => soon(say, 200));
  document.addEventListener("live:budget_recalculated", () => void compare());
  document.addEventListener("htmx:afterSwap", (event) => {
    if (["position", "position-form"].includes(event.detail.target?.id)) soon(say, 50);
  });
  document.addEventListener("visibilitychange", say);
  window.addEventListener("pagehide", () => {
    const body = new FormData();
    body.append("gone", "1");
    body.append("csrfmiddlewaretoken", token());
    navigator.sendBeacon(header.dataset.hereUrl, body);
  });
  setInterval(say, EVERY_MS);
  say();
})();
