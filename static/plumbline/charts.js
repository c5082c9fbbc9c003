// Charts in the page's own colours, by Chart.js: <canvas data-chart="kind" data-url="…"> fetches its figures, and
// <canvas data-chart="kind" data-source="id"> reads those that came with the page in <script id type="application/json">.
// What a kind looks like is said by the scripts of the apps, before the page is ready:
//
//   Plumbline.charts.kinds.weeks = (data, paint, width) => ({ type: "bar", … });
(() => {
  "use strict";
  const Plumbline = (window.Plumbline = window.Plumbline || {});
  const kinds = {};
  const drawn = new Map();

  /** A custom property as a colour that a canvas understands: light-dark() is only resolved in a used value. */
  function colours() {
    const probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
    const of = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const found = {
      text: of("text"),
      muted: of("text-2"),
      grid: of("border"),
      accent: of("accent-fill"),
      soft: of("accent-soft"),
      surface: of("surface"),
      red: of("red-fill"),
      amber: of("amber-fill"),
      green: of("green-fill"),
      not_checked: of("unknown-fill"),
    };
    probe.remove();
    return found;
  }

  /** A label of an axis, with as many digits as tell it from its neighbours: 27.6m, or 27,610,000 where steps are small. */
  function tick(value, index, ticks) {
    const step = ticks.length > 1 ? Math.abs(ticks[1].value - ticks[0].value) : Math.abs(value);
    const largest = Math.max(...ticks.map((other) => Math.abs(other.value)));
    const unit = [1e9, 1e6, 1e3].find((size) => largest >= size) || 1;
    const digits = (amount) => [0, 1, 2, 3].find((number) => Number.isInteger(Number((amount * 10 ** number).toFixed(4)))) ?? 4;
    const short = digits(step / unit);
    const options = short <= 2 ? { notation: "compact", maximumFractionDigits: short } : { maximumFractionDigits: digits(step) };
    return new Intl.NumberFormat("en-GB", options).format(value);
  }

  function common(paint) {
    const font = { family: getComputedStyle(document.body).fontFamily, size: 12 };
    return {
      responsive: true,
      maintainAspectRatio: false,
      animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? false : { duration: 250 },
      plugins: {
        legend: { labels: { color: paint.text, font, boxWidth: 14 }, position: "bottom" },
        tooltip: { titleFont: font, bodyFont: font },
      },
      scales: {
        x: { ticks: { color: paint.muted, font }, grid: { color: paint.grid } },
        y: { ticks: { color: paint.muted, font }, grid: { color: paint.grid } },
      },
    };
  }

  async function draw(canvas) {
    const { url, source } = canvas.dataset;
    let data = drawn.get(canvas)?.data;
    if (!data && source) data = JSON.parse(document.getElementById(source).textContent);
    if (!data) {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      data = await answer.json();
    }
    drawn.get(canvas)?.chart.destroy();
    const chart = new Chart(canvas, kinds[canvas.dataset.chart](data, colours(), canvas.parentElement.clientWidth));
    drawn.set(canvas, { chart, data });
  }

  const all = () => document.querySelectorAll("canvas[data-chart]");
  document.addEventListener("DOMContentLoaded", () => all().forEach(draw));
  // What a swap brought in: the charts of a project whose first bill has just arrived.
  document.addEventListener("htmx:afterSettle", () => {
    for (const [canvas, { chart }] of drawn) {
      if (canvas.isConnected) continue;
      chart.destroy();
      drawn.delete(canvas);
    }
    all().forEach((canvas) => drawn.has(canvas) || draw(canvas));
  });
  document.addEventListener("plumbline:theme", () => all().forEach(draw));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => all().forEach(draw));

  /** Fetch the figures of all charts of the page anew. */
  function renew() {
    for (const canvas of all()) {
      drawn.get(canvas)?.chart.destroy();
      drawn.delete(canvas);
      draw(canvas);
    }
  }

  Plumbline.charts = { kinds, common, tick, renew };
})();
