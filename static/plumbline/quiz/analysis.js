// Questions by facility and discrimination: a point for each, which leads to its page.
(() => {
  "use strict";
  const { kinds, common } = window.Plumbline.charts;

  kinds.items = (data, paint) => {
    const options = common(paint);
    const { points } = data;
    const isOdd = (point) => point.flags.length > 0;
    const sets = [
      { label: "Nothing odd", data: points.filter((point) => !isOdd(point)), backgroundColor: paint.accent, pointStyle: "circle" },
      { label: "To look at", data: points.filter(isOdd), backgroundColor: paint.red, pointStyle: "triangle" },
    ];
    options.parsing = false;
    options.scales.x = { ...options.scales.x, min: 0, max: 1, title: { display: true, text: "Facility (share of the mark)", color: paint.muted } };
    const lowest = Math.min(0, ...points.map((point) => point.y));
    options.scales.y = { ...options.scales.y, suggestedMin: lowest < 0 ? -0.5 : 0, suggestedMax: 1, title: { display: true, text: "Discrimination", color: paint.muted } };
    options.scales.y.grid = { color: (line) => (line.tick.value === 0 ? paint.muted : paint.grid) };
    options.plugins.legend.labels.usePointStyle = true;
    options.plugins.tooltip.callbacks = {
      title: (items) => items.map((item) => item.raw.label).join(", "),
      label: ({ raw }) => [
        `facility ${raw.x.toFixed(2)}, discrimination ${raw.y.toFixed(2)}, n = ${raw.n}`,
        ...(raw.flags.length ? [raw.flags.join(", ")] : []),
      ],
    };
    options.onHover = (event, found) => (event.native.target.style.cursor = found.length ? "pointer" : "");
    options.onClick = (event, found) => found.length && location.assign(sets[found[0].datasetIndex].data[found[0].index].url);
    const datasets = sets.map((set) => ({ ...set, borderColor: paint.surface, pointRadius: 5, pointHoverRadius: 8, pointHitRadius: 12 }));
    return { type: "scatter", data: { datasets }, options };
  };
})();
