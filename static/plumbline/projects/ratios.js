// The ratio profile of a building (after plumbline/charts.js): each ratio on the scale of its own usual range.
(() => {
  "use strict";
  const { kinds, common } = window.Plumbline.charts;
  const figure = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 2 });

  // What was assumed must not look as if it had been found to be right.
  const SHAPES = { usual: "circle", low: "triangle", high: "triangle", assumed: "rectRot" };
  const COLOURS = { usual: "green", low: "amber", high: "amber", assumed: "not_checked" };

  function ratios(data, paint, width) {
    const drawn = data.ratios.filter((one) => one.value !== null && one.low !== null);
    const options = common(paint);
    const room = width < 480 ? 16 : 28;
    const label = (text) => (text.length > room ? `${text.slice(0, room - 1)}…` : text);
    // 0: the low end of the usual range, 100: its high end.
    const place = (one) => (100 * (Number(one.value) - Number(one.low))) / (Number(one.high) - Number(one.low));
    options.indexAxis = "y";
    options.plugins.legend.display = true;
    options.scales.y.grid.display = false;
    options.scales.y.ticks.autoSkip = false;
    options.scales.x.suggestedMin = -25;
    options.scales.x.suggestedMax = 125;
    options.scales.x.ticks.callback = (value) => ({ 0: "low end", 100: "high end" })[value] || "";
    options.scales.x.ticks.stepSize = 50;
    options.plugins.tooltip.callbacks = {
      title: (items) => drawn[items[0].dataIndex].label,
      label: (item) => {
        const one = drawn[item.dataIndex];
        return item.datasetIndex === 0
          ? `${figure.format(one.value)} ${one.unit}${one.is_assumed ? ", assumed" : ""}`
          : `usual: ${figure.format(one.low)} to ${figure.format(one.high)} ${one.unit}`;
      },
    };
    return {
      type: "bar",
      data: {
        labels: drawn.map((one) => label(one.label)),
        datasets: [
          {
            type: "line",
            label: "This building",
            data: drawn.map(place),
            showLine: false,
            pointRadius: 7,
            pointHoverRadius: 9,
            pointStyle: drawn.map((one) => SHAPES[one.state]),
            pointBackgroundColor: drawn.map((one) => paint[COLOURS[one.state]]),
            borderColor: paint.surface,
            backgroundColor: paint.green,
          },
          {
            label: "Usual range",
            data: drawn.map(() => [0, 100]),
            backgroundColor: paint.soft,
            borderColor: paint.muted,
            borderWidth: 1,
            barPercentage: 0.35,
            borderRadius: 2,
          },
        ],
      },
      options,
    };
  }

  Object.assign(kinds, { ratios });
})();
