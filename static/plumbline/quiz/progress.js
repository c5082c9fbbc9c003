// Somebody's weeks (after plumbline/charts.js): how much was answered, how much of it was right, what an exam would bring.
(() => {
  "use strict";
  const { kinds, common } = window.Plumbline.charts;

  kinds.weeks = (data, paint, width) => {
    const options = common(paint);
    const lines = [{ type: "line", label: "Right", data: data.right, yAxisID: "share", borderColor: paint.accent, backgroundColor: paint.accent, pointRadius: 3, spanGaps: true, pointStyle: "circle" }];
    if (data.readiness) {
      lines.push({ type: "line", label: "Expected", data: data.readiness, yAxisID: "share", borderColor: paint.text, backgroundColor: paint.text, borderDash: [6, 4], borderWidth: 2, pointRadius: 0, pointStyle: "line" });
      lines.push({ type: "line", label: "Needed to pass", data: data.weeks.map(() => data.needed), yAxisID: "share", borderColor: paint.muted, backgroundColor: paint.muted, borderWidth: 1, borderDash: [2, 3], pointRadius: 0, pointStyle: "line" });
    }
    const font = options.scales.y.ticks.font;
    options.scales.x.grid.display = false;
    options.scales.x.ticks.maxRotation = 0;
    options.scales.y.beginAtZero = true;
    options.scales.y.grace = "10%";
    Object.assign(options.plugins.legend.labels, { usePointStyle: true, boxHeight: 7 });
    options.scales.y.ticks.precision = 0;
    options.scales.y.title = { display: width >= 480, text: "Answers", color: paint.muted, font };
    options.scales.share = { position: "right", min: 0, max: 100, ticks: { color: paint.muted, font, callback: (value) => `${value} %` }, grid: { drawOnChartArea: false } };
    options.interaction = { mode: "index", intersect: false };
    options.plugins.tooltip.callbacks = {
      title: (items) => `Week of ${items[0].label}`,
      label: (item) => `${item.dataset.label}: ${item.raw}${item.dataset.yAxisID ? " %" : ""}`,
    };
    const bars = { label: "Answers", data: data.answers, backgroundColor: paint.soft, borderColor: paint.accent, borderWidth: 1, borderRadius: 2, maxBarThickness: 32, order: 1, pointStyle: "rect" };
    return { type: "bar", data: { labels: data.weeks, datasets: [...lines, bars] }, options };
  };
})();
