// Regions of a page fetch themselves anew when they are called: hx-trigger="project-changed from:body".
//
//   Plumbline.regions.call("project-changed")
//
// What an answer brings is another element. A call that reached the old one while that answer was on its way, or while its
// `delay` ran, is forgotten by htmx along with it; yet the answer was made before what was called about. So a region that
// comes from an answer asked for before its latest call asks once more.
(() => {
  "use strict";
  const Plumbline = (window.Plumbline = window.Plumbline || {});
  let moment = 0; // counts calls and requests
  const calledAt = new Map(); // name → moment
  const askedAt = new WeakMap(); // request → moment

  function call(name) {
    calledAt.set(name, ++moment);
    document.body.dispatchEvent(new CustomEvent(name));
  }

  function regionsIn(element, name) {
    const selector = `[hx-get][hx-trigger*="${name} from:body"]`;
    return [...(element.matches(selector) ? [element] : []), ...element.querySelectorAll(selector)];
  }

  document.addEventListener("htmx:beforeRequest", ({ detail }) => askedAt.set(detail.xhr, ++moment));

  // Not sooner: until it is settled a new element hears nothing.
  document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
    const asked = askedAt.get(detail.xhr) ?? moment;
    const missed = new Map();
    for (const [name, called] of calledAt) {
      if (called > asked) for (const region of regionsIn(target, name)) missed.set(region, name);
    }
    for (const [region, name] of missed) {
      htmx.ajax("GET", region.getAttribute("hx-get"), { source: region, event: new CustomEvent(name) });
    }
  });

  Plumbline.regions = { call };
})();
