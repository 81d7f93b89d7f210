/* The gradient of the loss is the share minus the target. Arrows against it, and a step
   along them: what it makes of the shares and of the loss. */
"use strict";

(() => {
  const { button, clamp, define, draggable, fixed, line, linspace, listShares } = Explorer;
  const { marker, picture, scale, sentence, shape, slider, softmax, tag, text } = Explorer;

  const CLASSES = ["cat", "dog", "boat"];
  const TARGET = 1;
  const SCORES = [2, 1, -1];
  const LIMIT = 8;
  const FAR = 8; // the longest step
  const FIRST_STEP = 1;

  const loss = (scores) => -Library.log_softmax(scores, "float64")[TARGET];

  /** The slopes of the loss. Its target's is minus the others, so that no digit is lost. */
  function gradient(scores) {
    const slopes = softmax(scores);
    slopes[TARGET] = 0;
    slopes[TARGET] = -slopes.reduce((a, b) => a + b);
    return slopes;
  }

  /** The scores after a step against the gradient. */
  function after(scores, step) {
    const slopes = gradient(scores);
    return scores.map((s, i) => s - step * slopes[i]);
  }

  function build() {
    const spoken = sentence();
    // Steps end between the positions of the sliders, so the scores are kept here.
    const scores = [...SCORES];
    const sliders = CLASSES.map((label, i) =>
      slider({ label, min: -LIMIT, max: LIMIT, step: 0.1, value: scores[i] }, () => {
        scores[i] = sliders[i].value;
        update();
      }),
    );
    const length = slider(
      { label: "length of the step", min: 0, max: FAR, step: 0.1, value: FIRST_STEP },
      () => update(),
    );

    const tracks = picture({
      height: 190,
      label:
        "A track from 0 to 1 for each class, with its share, its target, an arrow from the " +
        "one to the other, and the share after the step.",
      still: (layer, width) => {
        const share = scale([0, 1], [46, width - 14]);
        CLASSES.forEach((name, i) => {
          const y = 40 + 50 * i;
          layer.append(
            line([[share(0), y], [share(1), y]], { class: "grid" }),
            text(0, y + 5, name, { class: `label ink-${i}` }),
          );
        });
        for (const tick of [0, 0.5, 1]) {
          layer.append(text(share(tick), 176, tick, { "text-anchor": "middle" }));
        }
      },
      moving: (layer, width) => {
        const share = scale([0, 1], [46, width - 14]);
        const [now, slopes] = [softmax(scores), gradient(scores)];
        const next = softmax(after(scores, length.value));
        CLASSES.forEach((_, i) => {
          const y = 40 + 50 * i;
          const [from, to] = [share(now[i]), share(i === TARGET ? 1 : 0)];
          const ahead = Math.sign(to - from);
          const point = to - 8 * ahead; // where the arrow ends, at the ring
          if (Math.abs(to - from) > 24) {
            const head = [[point, y], [point - 10 * ahead, y - 5], [point - 10 * ahead, y + 5]];
            layer.append(
              line([[from, y], [point - 9 * ahead, y]], { class: `curve ink-${i}` }),
              shape("polygon", { points: head.join(" "), class: `bar ink-${i}` }),
            );
          }
          const x = share(next[i]);
          layer.append(
            shape("circle", { cx: to, cy: y, r: 7, class: `ring ink-${i}` }),
            line([[x, y - 9], [x, y + 9]], { class: `curve ink-${i}` }),
            shape("circle", { cx: from, cy: y, r: 5, class: `dot ink-${i}` }),
            text((share(0) + share(1)) / 2, y - 15, `p − y = ${fixed(slopes[i], 3)}`, {
              class: `label ink-${i}`,
              "text-anchor": "middle",
            }),
          );
        });
      },
    });

    let across;
    const landscape = picture({
      height: 190,
      label:
        "The loss over the length of the step: a curve that falls, and the straight line of " +
        "its slope at the start, which falls below it.",
      still: (layer, width) => {
        across = scale([0, FAR], [34, width - 12]);
        for (const tick of linspace(0, FAR, 5)) {
          layer.append(text(across(tick), 176, tick, { "text-anchor": "middle" }));
        }
        layer.append(text(0, 13, "loss after the step", { class: "label" }));
      },
      moving: (layer) => {
        const [here, slopes] = [loss(scores), gradient(scores)];
        const steep = slopes.reduce((sum, g) => sum + g * g, 0);
        const up = scale([0, Math.max(1, here)], [150, 34]);
        const steps = linspace(0, FAR, 81);
        const points = steps.map((s) => [across(s), up(loss(after(scores, s)))]);
        const end = Math.min(FAR, here / steep);
        const x = across(length.value);
        const y = up(loss(after(scores, length.value)));
        for (const tick of [0, here]) {
          layer.append(
            line([[across(0), up(tick)], [across(FAR), up(tick)]], { class: "grid" }),
            text(across(0) - 6, up(tick) + 4, tick ? fixed(tick, 1) : 0, { "text-anchor": "end" }),
          );
        }
        layer.append(
          line([[across(0), up(here)], [across(end), up(here - end * steep)]], {
            class: "curve thin dashed",
          }),
          line(points, { class: "curve ink-1" }),
          ...marker(x, 24, 158),
          shape("circle", { cx: x, cy: y, r: 5, class: "dot ink-1" }),
        );
      },
    });
    draggable(landscape.svg, (x) => {
      length.value = clamp(across.back(x), 0, FAR);
      update();
    });

    const key = tag(
      "p",
      { class: "explorer-key" },
      "dot: share p · ring: target y · upright line: share after the step · dashed: what the slope promises",
    );

    function update(note = "") {
      tracks.redraw();
      landscape.redraw();
      const next = after(scores, length.value);
      spoken.say(
        `${note}The shares are ${listShares(CLASSES, softmax(scores))}, and the loss is ` +
          `${fixed(loss(scores), 3)}. A step of ${fixed(length.value, 1)} against p − y gives ` +
          `${listShares(CLASSES, softmax(next))}, and a loss of ${fixed(loss(next), 3)}.`,
      );
    }

    function set(values) {
      values.forEach((value, i) => {
        scores[i] = clamp(value, -LIMIT, LIMIT);
        sliders[i].value = scores[i];
      });
    }

    function take() {
      set(after(scores, length.value));
      update("The step was taken. ");
    }

    function reset() {
      set(SCORES);
      length.value = FIRST_STEP;
      update();
    }

    update();
    return {
      title: "A picture of a dog, and a step down the loss",
      parts: [
        tag("div", { class: "explorer-panels" }, tracks.element, landscape.element),
        key,
        ...sliders.map((s) => s.element),
        length.element,
        tag(
          "div",
          { class: "explorer-buttons" },
          button("take the step", take),
          button("start again", reset),
        ),
        spoken.element,
      ],
    };
  }

  define("gradients", { after, gradient, loss, softmax }, build);
})();
