// Charts of a budget (after plumbline/charts.js): cost by section, grades by role, what changed between versions.
(() => {
  "use strict";
  const { kinds, common, tick, renew } = window.Plumbline.charts;
  const GRADES = { red: "Red", amber: "Amber", green: "Green", not_checked: "Not checked" };
  const exact = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

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

  function stake(data, paint) {
    const options = common(paint);
    options.indexAxis = "y";
    options.scales.x.stacked = options.scales.y.stacked = true;
    options.scales.y.grid.display = false;
    options.scales.x.ticks.callback = tick;
    options.plugins.tooltip.callbacks = {
      label: (item) => `${item.dataset.label}: ${exact.format(item.raw)} ${data.currency}`,
    };
    const datasets = ["red", "amber"].map((grade) => ({
      label: GRADES[grade],
      data: data.series[grade].map(Number),
      backgroundColor: paint[grade],
      borderColor: paint.surface,
      borderWidth: 1,
    }));
    return { type: "bar", data: { labels: data.labels, datasets }, options };
  }

  /** Prices of one unit can't stand beside those of another: each code is drawn relative to its own median. */
  function spread(data, paint, width) {
    const options = common(paint);
    const room = width < 480 ? 16 : 28;
    const label = (text) => (text.length > room ? `${text.slice(0, room - 1)}…` : text);
    const share = (price, bar) => (100 * Number(price)) / Number(bar.median) - 100;
    options.indexAxis = "y";
    options.plugins.legend.display = false;
    options.scales.x.ticks.callback = (value) => `${value > 0 ? "+" : ""}${tick(value, 0, [])} %`;
    options.scales.y.grid.display = false;
    options.scales.y.ticks.autoSkip = false;
    options.plugins.tooltip.callbacks = {
      title: (items) => data.bars[items[0].dataIndex].label,
      label: (item) => {
        const bar = data.bars[item.dataIndex];
        const prices = [bar.lowest, bar.median, bar.highest].map((price) => exact.format(Number(price)));
        return `${prices.join(" · ")} ${data.currency} per ${bar.unit}, ${bar.positions} positions`;
      },
    };
    return {
      type: "bar",
      data: {
        labels: data.bars.map((bar) => label(bar.label)),
        datasets: [
          {
            data: data.bars.map((bar) => [share(bar.lowest, bar), share(bar.highest, bar)]),
            backgroundColor: paint.accent,
            borderRadius: 2,
            minBarLength: 3,
          },
        ],
      },
      options,
    };
  }

  Object.assign(kinds, { sections, roles, waterfall, stake, spread });
  document.body?.addEventListener("project-changed", renew);
})();
