/* Where the exponential leaves a number format, and what the naive formula makes of
   it. The shares are the same for every x, which only the shifted formula knows. */
"use strict";

(() => {
  const { clamp, define, draggable, fixed, marker, picture, precise } = Explorer;
  const { scale, sentence, shape, slider, table, tag, text } = Explorer;

  const FORMATS = {
    float16: { digits: 11, lowest: -14, highest: 15 },
    float32: { digits: 24, lowest: -126, highest: 127 },
    float64: { digits: 53, lowest: -1022, highest: 1023 },
  };

  const round = (x, format) => Library.round([x], format)[0];
  const naive = (scores, format) => Array.from(Library.naive_softmax(scores, format));
  const shifted = (scores, format) => Array.from(Library.shifted_softmax(scores, format));
  const exp = (x, format) => Library.exp([x], format)[0];

  /** The x at which e to the x becomes 0, loses digits, and becomes infinite. */
  function limits(format) {
    const { digits, lowest, highest } = FORMATS[format];
    return {
      zero: (lowest - digits) * Math.LN2,
      subnormal: lowest * Math.LN2,
      infinite: (highest + 1) * Math.LN2 + Math.log1p(-(2 ** (-digits - 1))),
    };
  }

  const REACH = 7.4; // sinh of it is 818, beyond the end of float64
  const FIRST = 5.3; // x = 100, too much for two of the three formats

  function build() {
    const spoken = sentence();
    const names = Object.keys(FORMATS);
    const place = slider(
      {
        label: "x",
        min: -REACH,
        max: REACH,
        step: 0.1,
        value: FIRST,
        show: (v) => precise(value(v), 3),
      },
      () => update(),
    );
    // Fine steps near 0 and large ones far out; whole numbers are exact in float16.
    function value(u) {
      const x = Math.sinh(u);
      return Math.abs(x) < 9.5 ? Number(x.toPrecision(2)) : Math.round(x);
    }

    let across;
    const edgesOf = (format) => {
      const { zero, subnormal, infinite } = limits(format);
      const inner = [zero, subnormal, infinite].map((v) => across(Math.asinh(v)));
      return [across(-REACH), ...inner, across(REACH)];
    };
    const topOf = (row) => 24 + 52 * row;
    const still = (layer, width) => {
      across = scale([-REACH, REACH], [6, width - 6]);
      names.forEach((format, row) => {
        const [top, edges] = [topOf(row), edgesOf(format)];
        ["zero", "faint", "fine", "lost"].forEach((kind, i) => {
          layer.append(
            shape("rect", {
              x: edges[i], y: top, width: Math.max(edges[i + 1] - edges[i], 0), height: 22,
              class: `band ${kind}`,
            }),
          );
        });
        layer.append(text(6, top - 6, format, { class: "label" }));
      });
      for (const tick of [-700, -100, -10, 0, 10, 100, 700]) {
        layer.append(
          text(across(Math.asinh(tick)), 184, fixed(tick, 0), { "text-anchor": "middle" }),
        );
      }
    };
    const moving = (layer, width) => {
      const x = value(place.value);
      const at = across(Math.asinh(x));
      names.forEach((format, row) => {
        const [top, edges] = [topOf(row), edgesOf(format)];
        ["0", "", "a number", "∞"].forEach((words, i) => {
          if (edges[i + 1] - edges[i] < 14) return;
          // The line at x runs beside the word, not through it.
          const half = 3 * words.length + 9;
          const middle = [(edges[i] + edges[i + 1]) / 2, at - half, at + half].find(
            (m) =>
              Math.abs(m - at) >= half && m - half >= edges[i] - 6 && m + half <= edges[i + 1] + 6,
          );
          if (middle === undefined) return;
          layer.append(text(middle, top + 16, words, { class: "on-band", "text-anchor": "middle" }));
        });
      });
      layer.append(
        ...marker(at, 8, 162),
        text(clamp(at, 40, width - 40), 204, `x = ${precise(x, 3)}`, { class: "label", "text-anchor": "middle" }),
      );
    };
    const label =
      "For float16, float32 and float64: where e to the x is a number, where it has " +
      "become 0, and where it has become infinite.";
    const bands = picture({ height: 208, label, still, moving });
    draggable(bands.svg, (x) => {
      place.value = clamp(across.back(x), -REACH, REACH);
      update();
    });

    const key = tag(
      "p",
      { class: "explorer-key" },
      tag("span", { class: "explorer-swatch" }),
      "subnormal: a number with fewer digits",
    );
    const body = tag("tbody");
    const results = table(["format", "eˣ", "naive", "shifted"], body);

    function update() {
      const x = value(place.value);
      const scores = [x, x - 1, x - 3];
      const broken = [];
      body.replaceChildren(
        ...names.map((format) => {
          const [bad, good] = [naive(scores, format), shifted(scores, format)];
          const off = bad.some((p, i) => !(Math.abs(p - good[i]) < 0.005));
          if (off) broken.push(format);
          const shares = (p) => p.map((v) => tag("span", { class: "one-share" }, `${fixed(v)} `));
          return tag(
            "tr",
            {},
            tag("th", { scope: "row" }, format),
            tag("td", {}, precise(exp(x, format), 3)),
            tag("td", off ? { class: "wrong" } : {}, ...shares(bad)),
            tag("td", {}, ...shares(good)),
          );
        }),
      );
      bands.redraw();
      const verdict = broken.length ? `fails in ${broken.join(" and ")}` : "still works in all three formats";
      spoken.say(
        `Scores x, x − 1 and x − 3 at x = ${precise(x, 3)}: the naive formula ${verdict}; ` +
          "after the shift by the maximum the shares are the same everywhere.",
      );
    }

    update();
    return {
      title: "Where e to the x leaves a number format",
      parts: [bands.element, key, place.element, results, spoken.element],
    };
  }

  define("overflow", { round, limits, naive, shifted }, build);
})();
