// On a phone the tabs under the top bar scroll: the one that is open is in sight from the start.
document.addEventListener("DOMContentLoaded", () => {
  const tab = document.querySelector(".subbar [aria-current]");
  const tabs = tab?.parentElement;
  if (tabs) tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
});
