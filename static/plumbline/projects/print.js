// The button of the page made for paper.
document.addEventListener("click", (event) => event.target.closest("[data-print]") && window.print());
