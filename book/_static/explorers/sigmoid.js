/* Two classes: only the difference of their scores counts, and softmax of the two is
   the sigmoid of it. */
"use strict";

(() => {
  const { button, clamp, define, draggable, fixed, line, linspace, marker } = Explorer;
  const { names, picture, scale, scoreSliders, sentence, shape, shareGrid, shiftAll } = Explorer;
  const { softmax, tag, text } = Explorer;

  const sigmoid = (x) => Library.sigmoid([x], "float64")[0];

  const LIMIT = 6;
  const REACH = 8;
  const FIRST = [1.5, -0.7];

  function build() {
    const spoken = sentence();
    const scores = scoreSliders(["a, human", "b, dog"], FIRST, LIMIT, () => update());
    const [human, dog] = scores;

    let across;
    const up = scale([0, 1], [176, 14]);
    const still = (layer, width) => {
      across = scale([-REACH, REACH], [34, width - 12]);
      layer.append(...shareGrid(across(-REACH), across(REACH), up));
      for (const tick of [-8, -4, 0, 4, 8]) {
        layer.append(text(across(tick), 208, fixed(tick, 0), { "text-anchor": "middle" }));
      }
      layer.append(
        text((34 + width - 12) / 2, 232, "difference a − b", { "text-anchor": "middle" }),
      );
      const steps = linspace(-REACH, REACH, 129);
      layer.append(
        line(steps.map((v) => [across(v), up(sigmoid(v))]), { class: "curve ink-0" }),
        line(steps.map((v) => [across(v), up(sigmoid(-v))]), { class: "curve ink-1 thin" }),
      );
    };
    const moving = (layer, width) => {
      const d = clamp(human.value - dog.value, -REACH, REACH);
      const [p, q] = softmax([human.value, dog.value]);
      layer.append(
        ...marker(across(d), up(1), 186),
        shape("circle", { cx: across(d), cy: up(q), r: 5, class: "dot ink-1" }),
        shape("circle", { cx: across(d), cy: up(p), r: 5, class: "dot ink-0" }),
        ...names(width, 8, 168, [
          { x: across(d), y: up(p), rises: true, words: `human ${fixed(p, 3)}`, ink: "ink-0" },
          { x: across(d), y: up(q), rises: false, words: `dog ${fixed(q, 3)}`, ink: "ink-1" },
        ]),
      );
    };
    const label =
      "The sigmoid over the difference of two scores, and on it the share of each class.";
    const curve = picture({ height: 236, label, still, moving });
    draggable(curve.svg, (x) => {
      // Half of the way for each score keeps their sum where it was.
      const d = clamp(across.back(x), -REACH, REACH);
      const middle = clamp((human.value + dog.value) / 2, -2, 2);
      human.value = middle + d / 2;
      dog.value = middle - d / 2;
      update();
    });

    function update(note = "") {
      const [a, b] = [human.value, dog.value];
      const [p] = softmax([a, b]);
      curve.redraw();
      spoken.say(
        `${note}softmax([${fixed(a, 1)}, ${fixed(b, 1)}]) gives the human ${fixed(p, 6)}; ` +
          `sigmoid(${fixed(a - b, 1)}) is ${fixed(sigmoid(a - b), 6)}.`,
      );
    }

    function both(by) {
      if (!shiftAll(scores, by, LIMIT)) return;
      update(`Both scores went ${by > 0 ? "up" : "down"} by 1 and the point stayed. `);
    }

    function reset() {
      [human.value, dog.value] = FIRST;
      update();
    }

    update();
    return {
      title: "Two scores, one difference, one curve",
      parts: [
        curve.element,
        human.element,
        dog.element,
        tag(
          "div",
          { class: "explorer-buttons" },
          button("add 1 to both", () => both(1)),
          button("take 1 away", () => both(-1)),
          button("start again", reset),
        ),
        spoken.element,
      ],
    };
  }

  define("sigmoid", { sigmoid, softmax }, build);
})();
