/* Scores and a temperature become shares. The curves show every temperature at
   once, from one winner on the left to equal shares on the right. */
"use strict";

(() => {
  const { button, clamp, define, draggable, fixed, line, linspace, listShares } = Explorer;
  const { marker, names, picture, scale, scoreSliders, sentence, shape, shareGrid } = Explorer;
  const { shiftAll, slider, softmax, tag, text } = Explorer;

  const CLASSES = ["cat", "dog", "boat"];
  const SCORES = [2, 1, -1];
  const LIMIT = 8;
  const COLDEST = -3; // temperatures are powers of 2
  const HOTTEST = 3;

  function build() {
    const spoken = sentence();
    const bars = CLASSES.map((_, i) => tag("span", { class: `explorer-bar ink-${i}` }));
    const shares = CLASSES.map(() => tag("span", { class: "explorer-share" }));
    const scores = scoreSliders(CLASSES, SCORES, LIMIT, () => update());
    const power = slider(
      {
        label: "temperature T",
        min: COLDEST,
        max: HOTTEST,
        step: 0.05,
        value: 0,
        show: (v) => fixed(2 ** v, 2),
      },
      () => update(),
    );
    const rows = CLASSES.map((_, i) =>
      tag(
        "div",
        { class: "explorer-row" },
        scores[i].element,
        tag("span", { class: "explorer-track", "aria-hidden": "true" }, bars[i]),
        shares[i],
      ),
    );

    let across; // from powers of 2 to pixels
    const up = scale([0, 1], [172, 12]);
    const still = (layer, width) => {
      across = scale([COLDEST, HOTTEST], [34, width - 14]);
      layer.append(...shareGrid(across(COLDEST), across(HOTTEST), up));
      const narrow = width < 360;
      for (const p of narrow ? [-3, -1, 1, 3] : [-3, -2, -1, 0, 1, 2, 3]) {
        const name = p < 0 ? `1/${2 ** -p}` : `${2 ** p}`;
        layer.append(text(across(p), 204, name, { "text-anchor": "middle" }));
      }
      layer.append(
        text(across(COLDEST), 221, narrow ? "← cold" : "← cold: one winner"),
        text(across(HOTTEST), 221, narrow ? "hot →" : "hot: all are equal →", { "text-anchor": "end" }),
      );
    };
    const moving = (layer, width) => {
      const values = scores.map((s) => s.value);
      const steps = linspace(COLDEST, HOTTEST, 121);
      const everywhere = steps.map((p) => softmax(values, 2 ** p));
      const now = softmax(values, 2 ** power.value);
      const x = across(power.value);
      const curves = CLASSES.map((_, i) =>
        steps.map((p, k) => [across(p), up(everywhere[k][i])]),
      );
      layer.append(...curves.map((points, i) => line(points, { class: `curve ink-${i}` })));
      const warmer = softmax(values, 2 ** (power.value + 0.1));
      layer.append(
        ...marker(x, 6, 182),
        ...now.map((p, i) => shape("circle", { cx: x, cy: up(p), r: 5, class: `dot ink-${i}` })),
        ...names(width, 12, 166, CLASSES.map((name, i) => ({
          x, y: up(now[i]), rises: warmer[i] > now[i],
          words: `${name} ${fixed(now[i])}`, ink: `ink-${i}`,
        })), curves),
      );
    };
    const label =
      "Each class's share over the temperature, from one winner where it is cold to " +
      "equal shares where it is hot.";
    const drawing = picture({ height: 224, label, still, moving });
    draggable(drawing.svg, (x) => {
      power.value = clamp(across.back(x), COLDEST, HOTTEST);
      update();
    });

    function update(note = "") {
      const T = 2 ** power.value;
      const now = softmax(scores.map((s) => s.value), T);
      now.forEach((p, i) => {
        bars[i].style.setProperty("--share", p);
        shares[i].textContent = fixed(p, 3);
      });
      drawing.redraw();
      spoken.say(`${note}At T = ${fixed(T)} the shares are ${listShares(CLASSES, now)}.`);
    }

    function shift(by) {
      if (!shiftAll(scores, by, LIMIT)) return;
      update(`Every score went ${by > 0 ? "up" : "down"} by 1 and no share moved. `);
    }

    function reset() {
      scores.forEach((s, i) => (s.value = SCORES[i]));
      power.value = 0;
      update();
    }

    update();
    return {
      title: "Scores and a temperature become shares",
      parts: [
        tag("div", { class: "explorer-rows" }, ...rows),
        power.element,
        drawing.element,
        tag(
          "div",
          { class: "explorer-buttons" },
          button("add 1 to every score", () => shift(1)),
          button("take 1 away", () => shift(-1)),
          button("start again", reset),
        ),
        spoken.element,
      ],
    };
  }

  define("temperature", { softmax }, build);
})();
