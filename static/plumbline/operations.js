// The operations page: fetches its parts every two seconds and changes only those that have changed, so that focus,
// scroll and opened details stay. Draws the chart. Says so when the server does not answer.
(() => {
  "use strict";
  const EVERY_MS = 2000;
  const SLOWEST_MS = 15000;
  const root = document.getElementById("ops");
  if (!root) return;
  const parts = document.getElementById("ops-parts");
  const unreachable = document.getElementById("ops-unreachable");
  const said = document.getElementById("ops-said");
  let timer = 0;
  let pause = EVERY_MS;
  let asking = false;
  let chart = null;
  let drawn = "";

  async function refresh() {
    clearTimeout(timer);
    if (document.hidden || asking) return;
    asking = true;
    try {
      const answer = await fetch(root.dataset.url, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(10000) });
      if (answer.redirected) location.reload(); // signed out meanwhile
      if (!answer.ok) throw new Error("The server answers with an error; its database may be away.");
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      replace(fresh);
      unreachable.hidden = true;
      parts.classList.remove("ops-stale");
      pause = EVERY_MS;
    } catch (error) {
      const isAnswered = error instanceof Error && error.message.startsWith("The server");
      document.getElementById("ops-why").textContent = isAnswered ? error.message : "The server does not answer.";
      parts.classList.add("ops-stale"); // nobody must read "All is well" as of now
      document.getElementById("ops-known-at").textContent = `${parts.querySelector("#ops-data")?.dataset.at ?? "?"} UTC`;
      unreachable.hidden = false;
      pause = Math.min(SLOWEST_MS, pause * 2);
    }
    asking = false;
    timer = setTimeout(refresh, pause);
  }

  /** Form tokens differ in every answer and mean the same. */
  const withoutTokens = (html) => html.replaceAll(/name="csrfmiddlewaretoken" value="[^"]*"/g, "");

  function replace(fresh) {
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const old = document.getElementById(part.id);
      if (!old || withoutTokens(old.outerHTML) === withoutTokens(part.outerHTML)) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      const scrolled = [...old.querySelectorAll(".ops-scroll")].map((box) => box.scrollLeft);
      old.replaceWith(document.adoptNode(part));
      part.querySelectorAll(".ops-scroll").forEach((box, index) => (box.scrollLeft = scrolled[index] || 0));
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    }
    draw();
  }

  function tell(message, isGood) {
    said.textContent = message;
    said.className = `ops-notice ${isGood ? "ops-good" : "ops-warn"}`;
    said.hidden = false;
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => (said.hidden = true), 8000);
  }

  async function act(form) {
    if (form.dataset.confirm && !confirm(form.dataset.confirm)) return;
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const body = new FormData(form);
      const headers = { Accept: "application/json", "X-CSRFToken": root.querySelector("[name=csrfmiddlewaretoken]").value };
      const answer = await fetch(form.action, { method: "POST", body, headers });
      if (!answer.ok) throw new Error(String(answer.status));
      const { message, good } = await answer.json();
      tell(message, good);
    } catch (error) {
      tell(`That did not work (${error.message}). Load the page again, then try once more.`, false);
    }
    button.disabled = false;
    refresh();
  }

  function colour(name) {
    const probe = document.createElement("span");
    probe.hidden = true;
    root.append(probe);
    probe.style.color = `var(--ops-${name})`;
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }

  function draw(isThemeNew = false) {
    const data = document.getElementById("ops-data");
    const source = document.getElementById("ops-minutes")?.textContent ?? "[]";
    const none = document.getElementById("ops-chart-none");
    const minutes = JSON.parse(source);
    const isEmpty = !minutes.length || data.dataset.busiest === "0";
    none.textContent = data.dataset.minutesError || "No job has ended in the last hour.";
    none.hidden = !isEmpty;
    document.querySelector(".ops-chart").hidden = isEmpty;
    document.getElementById("ops-chart-table").hidden = isEmpty;
    if (isEmpty || (source === drawn && !isThemeNew)) return;
    drawn = source;
    table(minutes);
    if (typeof Chart === "undefined") return;
    const sets = [
      { label: "Completed", data: minutes.map((row) => row[1]), backgroundColor: colour("fill") },
      { label: "Failed", data: minutes.map((row) => row[2]), backgroundColor: colour("bad-fill") },
    ];
    if (chart && !isThemeNew) {
      chart.data.labels = minutes.map((row) => row[0]);
      sets.forEach((set, index) => (chart.data.datasets[index].data = set.data));
      chart.update("none");
      return;
    }
    chart?.destroy();
    const text = colour("text-2");
    const axis = { stacked: true, grid: { color: colour("border") }, ticks: { color: text, maxRotation: 0, autoSkipPadding: 16, precision: 0 } };
    chart = new Chart(document.getElementById("ops-chart"), {
      type: "bar",
      data: { labels: minutes.map((row) => row[0]), datasets: sets },
      options: {
        responsive: true,
        maintainAspectRatio: false,
        animation: false,
        scales: { x: { ...axis, grid: { display: false } }, y: { ...axis, beginAtZero: true } },
        plugins: { legend: { position: "bottom", labels: { color: text, boxWidth: 14 } } },
      },
    });
  }

  function table(minutes) {
    const rows = minutes.filter((row) => row[1] || row[2]).reverse().map((row) => {
      const line = document.createElement("tr");
      row.forEach((value, index) => {
        const cell = document.createElement(index ? "td" : "th");
        cell.textContent = value;
        if (index) cell.className = "ops-num";
        else cell.scope = "row";
        line.append(cell);
      });
      return line;
    });
    document.getElementById("ops-minutes-rows").replaceChildren(...rows);
  }

  root.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-act]")) return;
    event.preventDefault();
    act(event.target);
  });
  document.addEventListener("visibilitychange", refresh);
  new MutationObserver(() => draw(true)).observe(document.documentElement, { attributeFilter: ["class"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(true));
  draw();
  timer = setTimeout(refresh, EVERY_MS);
})();
