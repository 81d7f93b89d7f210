/* Fixes for the theme: accessibility, pages opened from a folder, and the layout of
   formulas, long names and tables on narrow screens. */
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

  // Its visible words say more than "Toggle hidden content", the label of each.
  for (const summary of document.querySelectorAll("details.hide > summary")) {
    summary.removeAttribute("aria-label");
  }

  // The theme scrolls the table of contents to the page that is open, and the book's
  // name out of sight, also where both fit.
  addEventListener("load", () => {
    const contents = document.querySelector(".bd-sidebar-primary");
    const here = contents?.querySelector("a.current.active, .current.active > a");
    if (here && here.offsetTop + here.offsetHeight < contents.clientHeight) {
      contents.scrollTop = 0;
    }
  });

  // A list of references is a list to screen readers only with items in it.
  for (const entry of document.querySelectorAll(".citation-list > .citation")) {
    entry.setAttribute("role", "listitem");
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

  // A name that is longer than its place may break after a dot or a bracket, and a
  // part of it that is still long after an underscore.
  const LONG = { page: 28, table: 18 };
  const LONG_PART = 20;
  for (const name of document.querySelectorAll("a code .pre, .calls td code .pre")) {
    const place = name.closest("table") ? "table" : "page";
    if (name.textContent.length < LONG[place]) continue;
    const parts = name.textContent
      .split(/(?<=[.(])(?=\w)/)
      .flatMap((part) => (part.length > LONG_PART ? part.split(/(?<=_)/) : [part]));
    name.replaceChildren(...parts.flatMap((part) => [part, document.createElement("wbr")]));
  }

  // A word with a hyphen, or a product of two numbers, is not broken in two.
  for (const cell of document.querySelectorAll("td")) {
    const whole = /^[\w-]{1,12}$|^[\d,]+ × [\d,]+$/.test(cell.textContent.trim());
    cell.classList.toggle("one-piece", whole);
  }

  // On a phone the cells of a row stand below each other: each says what it is.
  for (const table of document.querySelectorAll(":is(.calls, .sentences) table")) {
    const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    for (const row of table.tBodies[0].rows) {
      [...row.cells].forEach((cell, i) => {
        if (i && cell.textContent.trim()) cell.dataset.head = heads[i];
      });
    }
  }

  // A formula that is wider than its line shrinks as far as it stays readable. What is
  // wider still scrolls.
  const SMALLEST = 0.66;
  const formulas = [...document.querySelectorAll(".bd-article .math")];
  const fit = () => {
    for (const formula of formulas) formula.style.removeProperty("--fitted");
    const sizes = formulas.map(({ clientWidth, scrollWidth }) => clientWidth / scrollWidth);
    formulas.forEach((formula, i) => {
      if (!(sizes[i] < 1)) return;
      const size = Math.max(sizes[i] - 0.001, SMALLEST);
      formula.style.setProperty("--fitted", `${size.toFixed(3)}em`);
    });
  };

  // What scrolls sideways fades where it goes on, and is reachable without a mouse.
  const scrolling = "pre, .math, figure, .pst-scrollable-table-container";
  const tellMore = (element) => {
    const { scrollLeft, scrollWidth, clientWidth } = element;
    element.classList.toggle("more-before", scrollLeft > 2);
    element.classList.toggle("more-behind", scrollLeft + clientWidth < scrollWidth - 2);
  };
  const arrange = () => {
    fit();
    for (const element of document.querySelectorAll(scrolling)) {
      if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
      tellMore(element);
    }
  };
  const told = (event) => event.target.matches?.(scrolling) && tellMore(event.target);
  document.addEventListener("scroll", told, { capture: true, passive: true });
  document.fonts.addEventListener("loadingdone", arrange);
  // The article changes its size at first, with the window, and when a solution unfolds.
  const article = document.querySelector(".bd-article");
  if (article) new ResizeObserver(() => requestAnimationFrame(arrange)).observe(article);
})();
