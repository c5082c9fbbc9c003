// Figures of training calls (after plumbline/charts.js): calls and their average day by day, criteria now and before.
// Anew when somebody's call is graded or reviewed while one looks.
(() => {
  "use strict";
  const { kinds, common } = window.Plumbline.charts;

  kinds["training-days"] = (data, paint, width) => {
    const options = common(paint);
    const font = options.scales.y.ticks.font;
    options.scales.x.grid.display = false;
    Object.assign(options.scales.x.ticks, { maxRotation: 0, autoSkipPadding: 16 });
    options.scales.y.beginAtZero = true;
    options.scales.y.ticks.precision = 0;
    options.scales.y.title = { display: width >= 480, text: "Calls", color: paint.muted, font };
    options.scales.score = { position: "right", min: 0, max: 100, ticks: { color: paint.muted, font }, grid: { drawOnChartArea: false }, title: { display: width >= 480, text: "Score", color: paint.muted, font } };
    options.interaction = { mode: "index", intersect: false };
    Object.assign(options.plugins.legend.labels, { usePointStyle: true, boxHeight: 7 });
    const line = { type: "line", label: "Average score", data: data.average, yAxisID: "score", borderColor: paint.text, backgroundColor: paint.text, borderWidth: 2, pointRadius: data.days.length > 40 ? 1.5 : 3, spanGaps: true, pointStyle: "line" };
    const bars = { label: "Calls", data: data.sessions, backgroundColor: paint.soft, borderColor: paint.accent, borderWidth: 1, borderRadius: 2, maxBarThickness: 32, order: 1, pointStyle: "rect" };
    return { type: "bar", data: { labels: data.days, datasets: [line, bars] }, options };
  };

  kinds["training-criteria"] = (data, paint, width) => {
    const options = common(paint);
    options.indexAxis = "y";
    options.scales.x.min = 0;
    options.scales.x.max = 100;
    options.scales.y.grid.display = false;
    const longest = width < 480 ? 16 : 30;
    options.scales.y.ticks.callback = (value, index) => {
      const name = data.names[index];
      return name.length > longest ? `${name.slice(0, longest - 1)}…` : name;
    };
    options.plugins.tooltip.callbacks = {
      title: (items) => data.names[items[0].dataIndex],
      label: (item) => `${item.dataset.label}: ${item.raw ?? "–"}, n = ${item.dataset.calls[item.dataIndex]}`,
    };
    const bar = { borderWidth: 1, borderRadius: 2, maxBarThickness: 18 };
    const now = { ...bar, label: "Now", data: data.now, calls: data.calls, backgroundColor: paint.accent, borderColor: paint.accent };
    const before = { ...bar, label: "Before", data: data.before, calls: data.calls_before, backgroundColor: paint.soft, borderColor: paint.accent };
    return { type: "bar", data: { labels: data.names, datasets: [now, before] }, options };
  };

  let timer = null;
  document.addEventListener("live:notification", ({ detail }) => {
    if (timer !== null || !detail.data.url?.startsWith("/training/")) return;
    timer = setTimeout(() => {
      timer = null;
      window.Plumbline.regions.call("training-figures");
    }, 1000);
  });
})();
