/* Mend what the theme leaves out: for people who do not see or point, and for pages
   opened from a folder. */
"use strict";

(() => {
  const name = (selector, label) => {
    for (const element of document.querySelectorAll(selector)) {
      element.setAttribute("aria-label", label);
    }
  };
  name(".primary-toggle", "Show or hide the table of contents");
  name(".secondary-toggle", "Show or hide the contents of this page");
  name(".btn-fullscreen-button", "Fill the screen");

  // A list of references is a list to screen readers only with items in it.
  for (const entry of document.querySelectorAll(".citation-list > .citation")) {
    entry.setAttribute("role", "listitem");
  }

  // A line may end after any formula: keep it together with the mark beside it.
  const textOf = (node) => (node?.nodeType === Node.TEXT_NODE ? node.data : "");
  for (const formula of document.querySelectorAll("span.math")) {
    const before = formula.previousSibling;
    const after = formula.nextSibling;
    const opening = textOf(before).match(/[([“‘]+$/)?.[0] ?? "";
    const closing = textOf(after).match(/^[,.;:!?)\]”’]+/)?.[0] ?? "";
    if (!opening && !closing) continue;
    const together = document.createElement("span");
    together.style.whiteSpace = "nowrap";
    formula.style.maxWidth = "calc(100% - 1.2em)"; // a long one scrolls, and leaves room
    formula.before(together);
    together.append(opening, formula, closing);
    if (opening) before.data = before.data.slice(0, -opening.length);
    if (closing) after.data = after.data.slice(closing.length);
  }

  // From a file, search may not read the pages it found to quote from them.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  // Search finds terms of the glossary under the page's name alone: add the term's.
  const results = document.getElementById("search-results");
  const tell = () => {
    for (const link of results.querySelectorAll('a[href*="#term-"]:not([data-term])')) {
      link.dataset.term = decodeURIComponent(link.hash.slice("#term-".length));
      link.append(` > ${link.dataset.term.replaceAll("-", " ")}`);
    }
  };
  if (results) new MutationObserver(tell).observe(results, { childList: true, subtree: true });

  // What scrolls sideways must be reachable without a mouse.
  const scrolling = "pre, div.math, figure, .pst-scrollable-table-container";
  const reach = () => {
    for (const element of document.querySelectorAll(scrolling)) {
      if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
    }
  };
  addEventListener("load", reach);
  addEventListener("resize", reach);
})();
