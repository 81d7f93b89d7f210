/* What the explorers share: elements, sliders, tables, pictures that are as wide as the
   page allows, dragging, and a sentence for screen readers.

   An explorer stands in a page as
     <div class="explorer" data-explorer="NAME"><p>What to see there.</p></div>
   and Explorer.define(NAME, arithmetic, build) fills it, once the library has started.
   Attributes `data-...` of the place are given to `build`, and what is folded away in a
   <details> is built when that is opened.
   Where it does not start the drawing and the sentence stay that the page came with, and
   in a notebook the sentence. `arithmetic` holds the functions that compute what is
   shown, where the tests find them: calls of the library, nearly all. */
"use strict";

const Explorer = (() => {
  const arithmetic = {};

  function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
      element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  /** Softmax of scores divided by a temperature. */
  const softmax = (scores, temperature = 1) =>
    Array.from(Library.softmax(scores.map((s) => s / temperature), "float64"));

  /** Return `count` numbers at equal distances, both ends included. */
  const linspace = (from, to, count) =>
    Array.from({ length: count }, (_, i) => from + (i * (to - from)) / (count - 1));

  /** Make an HTML element. */
  const tag = (name, attributes = {}, ...children) =>
    fill(document.createElement(name), attributes, children);

  /** Make an SVG element. */
  const shape = (name, attributes = {}, ...children) =>
    fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);

  /** Write a number with so many decimals and a true minus sign. */
  const fixed = (x, digits = 2) => {
    if (Number.isNaN(x)) return "nan";
    if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
    const text = x.toFixed(digits);
    return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
  };

  /** Write a number of any size with so many significant digits. */
  const precise = (x, digits = 4) => {
    if (x === 0) return "0";
    if (!Number.isFinite(x)) return fixed(x);
    const size = Math.abs(x);
    if (size >= 0.001 && size < 1e5) {
      return String(Number(x.toPrecision(digits))).replace("-", "−");
    }
    const [front, power] = x.toExponential(digits - 1).split("e");
    // The spaces are such that no line breaks there.
    return `${front.replace("-", "−")}\u00a0·\u00a010${superscript(Number(power))}`;
  };

  const superscript = (n) =>
    String(n).replace(/[-\d]/g, (c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]));

  /** Make a labelled slider; `show` says what its position means. */
  function slider({ label, min, max, step, value, show = (v) => fixed(v, 1) }, changed) {
    const input = tag("input", { type: "range", min, max, step, value });
    const shown = tag("span", { class: "explorer-value", "aria-hidden": "true" });
    const tell = () => {
      shown.textContent = show(input.valueAsNumber);
      input.setAttribute("aria-valuetext", shown.textContent);
    };
    input.addEventListener("input", () => {
      tell();
      changed();
    });
    tell();
    const name = tag("span", { class: "explorer-name" }, label);
    return {
      element: tag("label", { class: "explorer-slider" }, name, input, shown),
      get value() {
        return input.valueAsNumber;
      },
      set value(v) {
        input.value = v;
        tell();
      },
    };
  }

  /** Make a slider for each score, from -limit to limit. */
  const scoreSliders = (labels, values, limit, changed) =>
    labels.map((label, i) =>
      slider({ label, min: -limit, max: limit, step: 0.1, value: values[i] }, changed),
    );

  /** Add `by` to all sliders unless one would leave its range; tell whether they moved. */
  function shiftAll(sliders, by, limit) {
    const values = sliders.map((s) => s.value + by);
    if (Math.max(...values.map(Math.abs)) > limit + 1e-9) return false;
    sliders.forEach((s, i) => (s.value = values[i]));
    return true;
  }

  const button = (label, pressed) => {
    const made = tag("button", { type: "button" }, label);
    made.addEventListener("click", pressed);
    return made;
  };

  /** Make a table with one column for each heading. */
  const table = (headings, body) => {
    const cells = headings.map((heading) => tag("th", { scope: "col" }, heading));
    return tag("table", {}, tag("thead", {}, tag("tr", {}, ...cells)), body);
  };

  /** Make a picture of two layers that is as wide as the page allows. `still(layer,
      width)` draws what depends on the width alone; `moving(layer, width)` draws the
      rest, at most once a frame however often `redraw` is called. `height` is a number,
      or a function of the width; `label` describes the drawing. */
  function picture({ height, label, still, moving }) {
    const [behind, before] = [shape("g"), shape("g")];
    const svg = shape("svg", { role: "img", "aria-label": label }, behind, before);
    const element = tag("div", { class: "explorer-picture" }, svg);
    let width = 0;
    let waiting = false;
    const draw = () => {
      waiting = false;
      before.replaceChildren();
      moving(before, width);
    };
    const redraw = () => {
      if (waiting || !width) return;
      waiting = true;
      requestAnimationFrame(draw);
    };
    const resize = () => {
      const wide = Math.floor(element.clientWidth);
      if (!wide || wide === width) return;
      width = wide;
      const tall = typeof height === "number" ? height : height(width);
      fill(svg, { width, height: tall, viewBox: `0 0 ${width} ${tall}` }, []);
      behind.replaceChildren();
      still(behind, width);
      draw();
    };
    // In the next frame, since drawing may change the height that is observed.
    new ResizeObserver(() => requestAnimationFrame(resize)).observe(element);
    return { element, svg, redraw };
  }

  /** Call `moved(x, y)` while a finger or the mouse is down on the picture. */
  function draggable(svg, moved) {
    const move = (event) => {
      const box = svg.getBoundingClientRect();
      moved(event.clientX - box.left, event.clientY - box.top);
    };
    svg.classList.add("explorer-draggable");
    svg.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      svg.setPointerCapture(event.pointerId);
      move(event);
    });
    svg.addEventListener("pointermove", (event) => {
      if (svg.hasPointerCapture(event.pointerId)) move(event);
    });
  }

  /** Draw the handle of what can be dragged. */
  const handle = (x, y) => shape("circle", { cx: x, cy: y, r: 7, class: "handle" });

  /** Draw a line across a picture, with the handle at its lower end. */
  const marker = (x, top, bottom) => [
    line([[x, top], [x, bottom]], { class: "marker" }),
    handle(x, bottom),
  ];

  /** Make the sentence below a picture. What is seen changes at once; what screen
      readers speak waits until nothing has changed for a moment. */
  function sentence() {
    const seen = tag("p", { "aria-hidden": "true" });
    const spoken = tag("output", {});
    const element = tag("div", { class: "explorer-sentence" }, seen, spoken);
    let waiting;
    const speak = () => {
      spoken.textContent = seen.textContent;
      spoken.removeAttribute("aria-busy");
    };
    const say = (text) => {
      clearTimeout(waiting);
      seen.textContent = text;
      if (!spoken.textContent) return speak();
      spoken.setAttribute("aria-busy", "true");
      waiting = setTimeout(speak, 200);
    };
    return { element, say };
  }

  /** Map numbers from one interval to another. */
  const scale = (from, to) => {
    const slope = (to[1] - to[0]) / (from[1] - from[0]);
    const forth = (v) => to[0] + (v - from[0]) * slope;
    forth.back = (p) => from[0] + (p - to[0]) / slope;
    return forth;
  };

  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);

  /** Draw a line through points. */
  const line = (points, attributes) =>
    shape("polyline", {
      points: points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "),
      ...attributes,
    });

  const text = (x, y, words, attributes = {}) => shape("text", { x, y, ...attributes }, words);

  /** Draw lines at the shares 0, 1/2 and 1, with their labels on the left. */
  const shareGrid = (left, right, up) =>
    [0, 0.5, 1].flatMap((share) => [
      line([[left, up(share)], [right, up(share)]], { class: "grid" }),
      text(left - 8, up(share) + 4, share, { "text-anchor": "end" }),
    ]);

  /** Write shares as "cat 0.705, dog 0.259". */
  const listShares = (labels, shares) =>
    labels.map((label, i) => `${label} ${fixed(shares[i], 3)}`).join(", ");

  /** Move heights apart until labels of the size `gap` fit between `low` and `high`, in
      the order of `points`. */
  function apart(heights, gap, low, high, points = heights) {
    const order = heights.map((_, i) => i).sort((a, b) => points[a] - points[b]);
    const placed = [...heights];
    let edge = low;
    for (const i of order) edge = (placed[i] = Math.max(placed[i], edge)) + gap;
    edge = high;
    for (const i of order.reverse()) edge = (placed[i] = Math.min(placed[i], edge)) - gap;
    return placed;
  }

  /** Put names at points of curves, each where its curve leaves room: behind one
      that rises, before one that falls, and never beyond the picture's sides.
      A name is { x, y, rises, words, ink }. Where one of the `curves`, lists of
      points, would cross it, a name may stand on the other side or higher. */
  function names(width, low, high, all, curves = []) {
    const points = curves.flat();
    const crossings = (x, side, baseline, letters) =>
      points.filter(([px, py]) => {
        const away = (px - x) * side - 9;
        return away > 0 && away < 7 * letters && py > baseline - 12 && py < baseline + 3;
      }).length;
    const sides = [];
    const heights = [];
    for (const { x, y, rises, words } of all) {
      const room = 8 * words.length + 12;
      const first = (rises && x > room + 30) || x > width - room ? -1 : 1;
      const other = first < 0 ? x <= width - room : x > room + 30;
      const places = (other ? [first, -first] : [first]).flatMap((side) =>
        [9, 24].map((above) => [side, clamp(y - above, low, high)]),
      );
      const costs = places.map((place, i) => crossings(x, ...place, words.length) + i);
      const [side, height] = places[costs.indexOf(Math.min(...costs))];
      sides.push(side);
      heights.push(height);
    }
    for (const side of [-1, 1]) {
      const here = all.map((_, i) => i).filter((i) => sides[i] === side);
      const wanted = here.map((i) => heights[i]);
      const placed = apart(wanted, 16, low, high, here.map((i) => all[i].y));
      here.forEach((i, k) => (heights[i] = placed[k]));
    }
    return all.map(({ x, words, ink }, i) =>
      text(x + 9 * sides[i], heights[i], words, {
        class: `label ${ink}`,
        "text-anchor": sides[i] < 0 ? "end" : "start",
      }),
    );
  }

  /** Fill every place of this name in the page, if the library starts. */
  function define(name, functions, build) {
    arithmetic[name] = functions;
    Library.started.then(() => fillPlaces(name, build), () => {});
  }

  function fillPlaces(name, build) {
    for (const place of document.querySelectorAll(`[data-explorer="${name}"]`)) {
      const folded = place.closest("details:not([open])");
      if (folded) folded.addEventListener("toggle", () => fillPlace(place, build), { once: true });
      else fillPlace(place, build);
    }
  }

  function fillPlace(place, build) {
    const { title, parts } = build(place.dataset);
    const heading = tag("p", { class: "explorer-title" }, title);
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", title);
    place.replaceChildren(heading, ...parts);
    place.classList.add("explorer-alive");
  }

  return {
    apart, arithmetic, button, clamp, define, draggable, fixed, handle, line, linspace,
    listShares, marker, names, picture, precise, scale, scoreSliders, sentence, shape, shareGrid, shiftAll,
    slider, softmax, superscript, table, tag, text,
  };
})();
