/* The shares of three classes are a point in a triangle. The path through it holds
   the same scores at every temperature, from the middle to a corner. */
"use strict";

(() => {
  const { apart, button, clamp, define, draggable, fixed, handle, line, linspace } = Explorer;
  const { listShares, picture, scoreSliders, sentence, shape, softmax, tag, text } = Explorer;

  /** The scores with the sum 0 that have these shares. */
  function scoresOf(shares) {
    const logs = shares.map(Math.log);
    const mean = logs.reduce((a, b) => a + b) / logs.length;
    return logs.map((v) => v - mean);
  }

  /** The shares at a point given as weights of the corners, kept inside. */
  function inside(weights, least = 0.001) {
    const cut = weights.map((w) => Math.max(w, least));
    const sum = cut.reduce((a, b) => a + b);
    return cut.map((w) => w / sum);
  }

  const CLASSES = ["cat", "dog", "boat"];
  const SCORES = [1, 0.4, -1.4];
  const LIMIT = 7;

  function build() {
    const spoken = sentence();
    const scores = scoreSliders(CLASSES, SCORES, LIMIT, () => update());

    let corners;
    const at = (shares) => [0, 1].map((k) => shares.reduce((sum, p, i) => sum + p * corners[i][k], 0));

    const sideIn = (width) => Math.min(width - 90, 340);
    const heightOf = (side) => (side * Math.sqrt(3)) / 2;

    const still = (layer, width) => {
      const side = sideIn(width);
      const height = heightOf(side);
      const left = (width - side) / 2;
      corners = [[width / 2, 26], [left, 26 + height], [left + side, 26 + height]];
      const middle = at([1 / 3, 1 / 3, 1 / 3]);
      // In each third another class has the largest share.
      CLASSES.forEach((_, i) => {
        const [j, k] = [(i + 1) % 3, (i + 2) % 3];
        const half = (n) => [0, 1].map((c) => (corners[i][c] + corners[n][c]) / 2);
        const points = [corners[i], half(j), middle, half(k)].map((p) => p.join(",")).join(" ");
        layer.append(shape("polygon", { points, class: `region ink-${i}` }));
      });
      layer.append(line([...corners, corners[0]], { class: "edge" }));
    };
    const moving = (layer) => {
      const values = scores.map((s) => s.value);
      const powers = linspace(-6, 8, 169);
      layer.append(line(powers.map((p) => at(softmax(values, 2 ** p))), { class: "curve path" }));
      const now = softmax(values);
      const [x, y] = at(now);
      const others = [0.5, 2].map((T) => at(softmax(values, T)));
      // Near the middle the temperatures are close together: their names move apart, and
      // past the handle.
      const heights = apart(others.map(([, y]) => y + 4), 17, 0, Infinity);
      others.forEach(([dotX, dotY], i) => {
        const past = Math.abs(heights[i] - 4 - y) < 16 && Math.abs(dotX - x) < 60;
        const nameX = (past ? Math.max(x, dotX) : dotX) + 13;
        layer.append(
          shape("circle", { cx: dotX, cy: dotY, r: 3.5, class: "dot" }),
          text(nameX, heights[i], ["T = 1/2", "T = 2"][i], { class: "small" }),
        );
      });
      layer.append(handle(x, y));
      const [cat, dog, boat] = CLASSES.map((name, i) => `${name} ${fixed(now[i])}`);
      layer.append(
        text(corners[0][0], 17, cat, { class: "label ink-0", "text-anchor": "middle" }),
        text(corners[1][0], corners[1][1] + 20, dog, { class: "label ink-1", "text-anchor": "middle" }),
        text(corners[2][0], corners[2][1] + 20, boat, { class: "label ink-2", "text-anchor": "middle" }),
      );
    };
    const triangle = picture({
      height: (width) => Math.ceil(heightOf(sideIn(width))) + 52,
      label:
        "A triangle with a corner for each class. The point is the shares; through it " +
        "runs the path of all temperatures, from the middle to the winner's corner.",
      still,
      moving,
    });
    triangle.svg.classList.add("explorer-both-ways");
    draggable(triangle.svg, (x, y) => {
      const [[ax, ay], [bx, by], [cx, cy]] = corners;
      const area = (by - cy) * (ax - cx) + (cx - bx) * (ay - cy);
      const a = ((by - cy) * (x - cx) + (cx - bx) * (y - cy)) / area;
      const b = ((cy - ay) * (x - cx) + (ax - cx) * (y - cy)) / area;
      scoresOf(inside([a, b, 1 - a - b])).forEach((s, i) => {
        scores[i].value = clamp(s, -LIMIT, LIMIT);
      });
      update();
    });

    function update() {
      const now = softmax(scores.map((s) => s.value));
      triangle.redraw();
      const most = CLASSES[now.indexOf(Math.max(...now))];
      spoken.say(`The shares are ${listShares(CLASSES, now)}. The point lies in the region of the ${most}.`);
    }

    function reset() {
      scores.forEach((s, i) => (s.value = SCORES[i]));
      update();
    }

    update();
    return {
      title: "Three shares are a point in a triangle",
      parts: [
        triangle.element,
        ...scores.map((s) => s.element),
        tag("div", { class: "explorer-buttons" }, button("start again", reset)),
        spoken.element,
      ],
    };
  }

  define("simplex", { softmax, scoresOf, inside }, build);
})();
