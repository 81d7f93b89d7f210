/* A score becomes a term: 2^n (1 + g) in float32, step by step, with its bits. */
"use strict";

(() => {
  const { button, clamp, define, draggable, fixed, line, marker, picture } = Explorer;
  const { precise, scale, sentence, shape, slider, superscript, table, tag, text } = Explorer;

  const FIRST = 1;
  const REACH = 3; // of the slider, to both sides
  // Between them 2^n g is never subnormal, so that the fraction of 1 + g is the term's.
  const [LOWEST, HIGHEST] = [-60, 88];
  const BIAS = 127;
  // The lengths of the fields of a float32, from the sign on, and their colours.
  const FIELDS = [[1, "plain"], [8, "ink-1"], [23, "ink-0"]];
  // The magic number has what becomes the exponent in its last bits.
  const COUNT = [[24, "plain"], [8, "ink-1"]];
  const GAP = 6; // pixels between fields

  const steps = (x) => Library.term_steps(x);

  /** The bits of a float32 as text. */
  const bitsOf = (x) =>
    new Uint32Array(Float32Array.of(x).buffer)[0].toString(2).padStart(32, "0");

  const exponentOf = (x) => parseInt(bitsOf(x).slice(1, 9), 2);

  /** How far a term is from e to the x in ULP: in its two parts, and as one number. */
  function errors(x) {
    const { power, part, term } = steps(x);
    const exact = Exact.exp(Math.fround(x));
    return [power + part, term].map((value) => Exact.ulps(value, exact, "float32"));
  }

  /** Squares side by side, in one path. */
  const squares = (places, y, size) =>
    places.map((x) => `M${x.toFixed(1)} ${y}h${size}v${size}h${-size}z`).join("");

  function build() {
    const spoken = sentence();
    let x = FIRST;
    let middle = 0;
    const score = slider(
      { label: "score x", min: -REACH, max: REACH, step: 0.05, value: FIRST, show: (v) => fixed(v) },
      () => moveTo(score.value),
    );
    const range = score.element.querySelector("input");
    const typed = tag("input", { type: "text", inputmode: "decimal", size: 8, value: FIRST });
    typed.addEventListener("input", read);

    const AXIS = 54;
    const ROWS = 128;
    let across, cell;
    const size = () => Math.round(cell) - 2;
    const rowAt = (row) => ROWS + row * (36 + cell);
    const setCell = (width) => (cell = Math.min((width - 2 * GAP) / 32, 22));

    /** Where the fields of a row begin and end. */
    function edges(fields) {
      let from = 0;
      return fields.map(([length], i) => {
        const start = from * cell + i * GAP;
        from += length;
        return [start, start + length * cell - 2];
      });
    }

    const still = (layer, width) => {
      const below = rowAt(3) + cell + 24;
      layer.append(line([[6, AXIS], [width - 6, AXIS]], { class: "edge" }));
      const [, exponent, fraction] = edges(FIELDS);
      for (const [words, [from, to], ink] of [
        ["exponent", exponent, "ink-1"],
        ["fraction", fraction, "ink-0"],
      ]) {
        layer.append(
          text((from + to) / 2, below, words, { class: `label ${ink}`, "text-anchor": "middle" }),
        );
      }
    };

    /** Draw the bits of a number, field by field. */
    const drawBits = (layer, row, number, fields, words) => {
      const bits = bitsOf(number);
      const y = rowAt(row) + 8;
      layer.append(text(0, rowAt(row), words));
      let from = 0;
      edges(fields).forEach(([start], i) => {
        const [length, ink] = fields[i];
        for (const [kind, digit] of [["zeros", "0"], ["ones", "1"]]) {
          const places = Array.from({ length }, (_, k) => k).filter((k) => bits[from + k] === digit);
          const d = squares(places.map((k) => start + k * cell), y, size());
          if (d) layer.append(shape("path", { d, class: `${kind} ${ink}` }));
        }
        from += length;
      });
    };

    const moving = (layer, width) => {
      const { n, rounded, power, fraction, term } = steps(x);
      across = scale([middle - REACH, middle + REACH], [10, width - 10]);
      const first = Math.ceil((middle - REACH) / Math.LN2);
      const last = Math.floor((middle + REACH) / Math.LN2);
      for (let k = first; k <= last; k++) {
        const at = across(k * Math.LN2);
        layer.append(
          line([[at, AXIS - 5], [at, AXIS + 5]], { class: "edge" }),
          text(at, AXIS + 30, `2${superscript(k)}`, {
            "text-anchor": "middle",
            ...(k === n ? { class: "label ink-1" } : {}),
          }),
        );
      }
      const [at, mark] = [across(x), across(n * Math.LN2)];
      layer.append(
        line([[mark, AXIS], [at, AXIS]], { class: "curve wide ink-0" }),
        ...marker(at, 24, AXIS),
        text(clamp(at, 40, width - 40), 18, `x = ${precise(x, 5)}`, { class: "label", "text-anchor": "middle" }),
      );
      drawBits(layer, 0, rounded, COUNT, `n + ${BIAS}, by the magic number`);
      drawBits(layer, 1, power, FIELDS, `shifted by 23 places: 2ⁿ = ${precise(power, 7)}`);
      drawBits(layer, 2, fraction, FIELDS, `1 + g = ${precise(fraction, 9)}`);
      drawBits(layer, 3, term, FIELDS, `2ⁿ(1 + g) = ${precise(term, 9)}`);
    };
    const steady = picture({
      height: (width) => {
        setCell(width);
        return rowAt(3) + cell + 34;
      },
      label:
        "A line of scores with a mark wherever e to the x is a power of two, and the score between " +
        "two marks. Below it four rows of 32 bits: the magic number, the power of two, 1 + g, and " +
        "the term, which has the exponent of the power and the fraction of 1 + g.",
      still,
      moving,
    });
    draggable(steady.svg, (at) => moveTo(clamp(across.back(at), middle - REACH, middle + REACH)));

    const key = tag(
      "p",
      { class: "explorer-key" },
      "a filled square is 1, an empty one 0 · the first bit is the sign · the thick line is r",
    );
    const body = tag("tbody");
    const results = table(["step", "float32"], body);

    function show(problem = "") {
      const { n, high, r, g, power, fraction, term } = steps(x);
      const rows = [
        ["x", precise(x, 9)],
        ["n, nearest to x / log 2", fixed(n, 0)],
        ["x minus n times the first part of log 2", precise(high, 9)],
        ["r: minus n times the second part", precise(r, 9)],
        ["g, of the polynomial", precise(g, 9)],
        ["2ⁿ(1 + g)", precise(term, 9)],
        ["eˣ to 30 digits", Exact.digits(Exact.exp(x))],
      ];
      body.replaceChildren(
        ...rows.map(([step, value]) =>
          tag("tr", {}, tag("th", { scope: "row" }, step), tag("td", { class: "digits" }, value)),
        ),
      );
      steady.redraw();
      const [pair, single] = errors(x);
      const field = exponentOf(power);
      const fields =
        exponentOf(term) === field
          ? `The exponent's bits hold n + ${BIAS} = ${field} in 2ⁿ and in the term`
          : `The exponent's bits hold n + ${BIAS} = ${field} in 2ⁿ, and one less in the term, since 1 + g is below 1`;
      spoken.say(
        problem ||
          `e to the ${precise(x, 5)} is 2 to the ${fixed(n, 0)} times ${precise(fraction, 9)}. ${fields}; ` +
            `its fraction is that of 1 + g. In two parts, 2ⁿ and 2ⁿg, the term is ${fixed(pair)} ULP ` +
            `from eˣ; rounded to one number, ${fixed(single)} ULP.`,
      );
    }

    function moveTo(value) {
      x = Math.fround(value);
      score.value = value;
      typed.value = String(Number(value.toFixed(3)));
      show();
    }

    /** Show another part of the line, with the score in it. */
    function centre(value) {
      middle = clamp(value, LOWEST + REACH, HIGHEST - REACH);
      range.min = middle - REACH;
      range.max = middle + REACH;
    }

    function read() {
      const words = typed.value.trim().replace(/^[−–]/, "-");
      const value = words ? Number(words) : NaN;
      if (!(value >= LOWEST && value <= HIGHEST)) {
        return show(
          `Type a score from −${-LOWEST} to ${HIGHEST}: there the term has all 24 bits, without the ` +
            "scale that the kernels use.",
        );
      }
      if (Math.abs(value - middle) > REACH) centre(Math.round(value));
      x = Math.fround(value);
      score.value = value;
      show();
    }

    function reset() {
      centre(0);
      moveTo(FIRST);
    }

    show();
    return {
      title: "A score becomes a power of two and a fraction",
      parts: [
        steady.element,
        key,
        score.element,
        tag(
          "div",
          { class: "explorer-buttons" },
          tag("label", { class: "try-choice" }, tag("span", {}, "or type it"), typed),
          button("start again", reset),
        ),
        results,
        spoken.element,
      ],
    };
  }

  const exactly = (x) => Exact.digits(Exact.exp(Math.fround(x)));
  define("term", { bitsOf, errors, exactly, steps }, build);
})();
