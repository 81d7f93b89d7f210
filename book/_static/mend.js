/* Mend what the theme leaves out for people who do not see or point. */
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
