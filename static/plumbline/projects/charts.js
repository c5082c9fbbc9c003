// Charts of a budget: canvases marked data-chart, fed by data-url, in the page's own colours.
(() => {
  "use strict";
  const GRADES = { red: "Red", amber: "Amber", green: "Green", not_checked: "Not checked" };
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
      surface: of("surface"),
      red: of("red-fill"),
      amber: of("amber-fill"),
      green: of("green-fill"),
      not_checked: of("unknown-fill"),
    };
    probe.remove();
    return found;
  }

  const exact = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

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

  /** Grey stripes for "not checked": it must not look like a grade. */
  function hatch(colour) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = colour;
    pen.lineWidth = 2;
    pen.beginPath();
    for (const shift of [-8, 0, 8]) {
      pen.moveTo(shift, 8);
      pen.lineTo(shift + 8, 0);
    }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
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

  function sections(data, paint, width) {
    const options = common(paint);
    const room = width < 480 ? 18 : 30;
    const label = (text) => (text.length > room ? `${text.slice(0, room - 1)}…` : text);
    options.indexAxis = "y";
    options.plugins.legend.display = false;
    options.scales.x.ticks.callback = tick;
    options.scales.y.grid.display = false;
    options.scales.y.ticks.autoSkip = false;
    options.plugins.tooltip.callbacks = {
      title: (items) => data.bars[items[0].dataIndex].label,
      label: (item) => `${exact.format(item.raw)} ${data.currency}`,
    };
    return {
      type: "bar",
      data: {
        labels: data.bars.map((bar) => label(bar.label)),
        datasets: [{ data: data.bars.map((bar) => Number(bar.cost)), backgroundColor: paint.accent, borderRadius: 2 }],
      },
      options,
    };
  }

  function roles(data, paint) {
    const options = common(paint);
    options.indexAxis = "y";
    options.scales.x.stacked = options.scales.y.stacked = true;
    options.scales.y.grid.display = false;
    options.scales.x.ticks.precision = 0;
    const datasets = Object.entries(GRADES).map(([grade, word]) => ({
      label: word,
      data: data.series[grade],
      backgroundColor: grade === "not_checked" ? hatch(paint.not_checked) : paint[grade],
      borderColor: paint.surface,
      borderWidth: 1,
    }));
    return { type: "bar", data: { labels: data.labels, datasets }, options };
  }

  function waterfall(data, paint) {
    const options = common(paint);
    const fill = { total: paint.accent, up: paint.red, down: paint.green, same: paint.muted };
    options.plugins.legend.display = false;
    options.scales.x.grid.display = false;
    options.scales.y.ticks.includeBounds = false;
    // Small changes of a large total would be invisible from zero on.
    const steps = data.bars.filter((bar) => bar.kind !== "total");
    const edges = steps.flatMap((bar) => [Number(bar.from), Number(bar.to)]);
    options.scales.y.ticks.callback = tick;
    if (edges.length) {
      const low = Math.min(...edges);
      const high = Math.max(...edges);
      const margin = Math.max((high - low) * 0.6, Math.abs(high) * 0.001, 1);
      if (low - margin > 0) options.scales.y.min = low - margin;
      options.scales.y.max = high + margin * 0.3;
    }
    options.plugins.tooltip.callbacks = {
      label: (item) => {
        const bar = data.bars[item.dataIndex];
        const sign = bar.kind !== "total" && Number(bar.delta) > 0 ? "+" : "";
        return `${sign}${exact.format(Number(bar.delta))} ${data.currency}`;
      },
    };
    const floor = options.scales.y.min || 0;
    return {
      type: "bar",
      data: {
        labels: data.bars.map((bar) => bar.label),
        datasets: [
          {
            data: data.bars.map((bar) => [bar.kind === "total" ? floor : Number(bar.from), Number(bar.to)]),
            backgroundColor: data.bars.map((bar) => fill[bar.kind]),
            minBarLength: 2,
            borderRadius: 2,
          },
        ],
      },
      options,
    };
  }

  const KINDS = { sections, roles, waterfall };

  async function draw(canvas) {
    let data = drawn.get(canvas)?.data;
    if (!data) {
      const answer = await fetch(canvas.dataset.url, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      data = await answer.json();
    }
    drawn.get(canvas)?.chart.destroy();
    const chart = new Chart(canvas, KINDS[canvas.dataset.chart](data, colours(), canvas.parentElement.clientWidth));
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
  document.body?.addEventListener("project-changed", () => {
    for (const canvas of all()) {
      drawn.get(canvas)?.chart.destroy();
      drawn.delete(canvas);
      draw(canvas);
    }
  });
})();
