// Charts of demand (after plumbline/charts.js): signals of an entity by hour and day, with spikes; what models cost.
(() => {
  "use strict";
  const { kinds, common } = window.Plumbline.charts;
  const dollars = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 4 });

  /** Bars of counts. A spike is darker, and has its word in the tooltip. */
  function counted({ labels, counts, spikes }, paint, width) {
    const options = common(paint);
    options.animation = false; // redrawn with each signal
    options.plugins.legend.display = false;
    options.scales.x.grid.display = false;
    Object.assign(options.scales.x.ticks, { maxRotation: 0, autoSkipPadding: width < 480 ? 24 : 40 });
    options.scales.y.beginAtZero = true;
    options.scales.y.suggestedMax = 4;
    options.scales.y.ticks.precision = 0;
    options.plugins.tooltip.callbacks = { label: (item) => `${item.raw} signal${item.raw === 1 ? "" : "s"}${spikes[item.dataIndex] ? ", a spike" : ""}` };
    const backgroundColor = spikes.map((isSpike) => (isSpike ? paint.text : paint.accent));
    return { type: "bar", data: { labels, datasets: [{ data: counts, backgroundColor, borderRadius: 2, maxBarThickness: 24 }] }, options };
  }

  kinds.hours = (data, paint, width) => counted(data.hours, paint, width);
  kinds.days = (data, paint, width) => counted(data.days, paint, width);

  /** Shades of one colour tell purposes apart; the legend names them. */
  kinds.costs = (data, paint, width) => {
    const options = common(paint);
    const shade = (index) => paint.accent.replace(/^rgb\((.*)\)$/, `rgb($1 / ${Math.max(15, 100 - 35 * index)}%)`).replaceAll(",", "");
    options.scales.x.stacked = options.scales.y.stacked = true;
    options.scales.x.grid.display = false;
    Object.assign(options.scales.x.ticks, { maxRotation: 0, autoSkipPadding: width < 480 ? 24 : 40 });
    options.scales.y.beginAtZero = true;
    options.scales.y.title = { display: width >= 480, text: "USD", color: paint.muted };
    options.interaction = { mode: "index", intersect: false };
    options.plugins.tooltip.callbacks = {
      label: (item) => `${item.dataset.label}: ${dollars.format(item.raw)} USD, ${data.series[item.datasetIndex].calls[item.dataIndex]} calls`,
    };
    const datasets = data.series.map((each, index) => ({
      label: each.purpose,
      data: each.cost.map(Number),
      backgroundColor: shade(index),
      borderColor: paint.surface,
      borderWidth: 1,
      maxBarThickness: 32,
    }));
    return { type: "bar", data: { labels: data.labels, datasets }, options };
  };
})();
