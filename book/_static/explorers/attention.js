/* Attention, a soft look-up: a query among three keys, the share of each value that it
   takes, and the mix. */
"use strict";

(() => {
  const { button, clamp, define, draggable, fixed, handle, line, picture } = Explorer;
  const { scale, sentence, shape, slider, softmax, table, tag, text } = Explorer;

  const KEYS = [[3, 0], [0, 3], [-3, 0]];
  const VALUES = [10, 20, 30];
  const QUERY = [1.5, 1.5];
  const REACH = 4.5;

  /** The scores of all keys: dot products, divided by the root of the keys' width. */
  const scoresOf = (query) =>
    KEYS.map((key) => key.reduce((sum, k, i) => sum + k * query[i], 0) / Math.sqrt(key.length));

  const weights = (query) => softmax(scoresOf(query));

  const answer = (query) => weights(query).reduce((sum, p, i) => sum + p * VALUES[i], 0);

  function build() {
    const spoken = sentence();
    const query = ["query, across", "query, up"].map((label, i) =>
      slider({ label, min: -REACH, max: REACH, step: 0.1, value: QUERY[i] }, () => update()),
    );
    const place = () => query.map((s) => s.value);

    const TOP = 8;
    const sideIn = (width) => Math.min(width - 16, 320);
    let across, up, along;
    const still = (layer, width) => {
      const side = sideIn(width);
      const left = (width - side) / 2;
      across = scale([-REACH, REACH], [left, left + side]);
      up = scale([-REACH, REACH], [TOP + side, TOP]);
      along = scale([VALUES[0], VALUES.at(-1)], [left + 14, left + side - 14]);
      const below = TOP + side + 56;
      layer.append(
        line([[across(-REACH), up(0)], [across(REACH), up(0)]], { class: "grid" }),
        line([[across(0), up(-REACH)], [across(0), up(REACH)]], { class: "grid" }),
        line([[along(VALUES[0]), below], [along(VALUES.at(-1)), below]], { class: "edge" }),
      );
      VALUES.forEach((value, i) => {
        layer.append(
          shape("circle", { cx: along(value), cy: below, r: 5, class: `dot ink-${i}` }),
          text(along(value), below + 24, value, { class: `label ink-${i}`, "text-anchor": "middle" }),
        );
      });
    };
    const moving = (layer, width) => {
      const now = place();
      const shares = weights(now);
      const [x, y] = [across(now[0]), up(now[1])];
      KEYS.forEach(([a, b], i) => {
        const [keyX, keyY] = [across(a), up(b)];
        layer.append(
          shape("circle", { cx: keyX, cy: keyY, r: 30 * Math.sqrt(shares[i]), class: `area ink-${i}` }),
          line([[x, y], [keyX, keyY]], { class: `link ink-${i}`, "stroke-width": 1 + 6 * shares[i] }),
        );
      });
      KEYS.forEach(([a, b], i) => {
        layer.append(
          shape("circle", { cx: across(a), cy: up(b), r: 4, class: `dot ink-${i}` }),
          text(across(a), up(b) + 46, `${fixed(shares[i])} of ${VALUES[i]}`, {
            class: `label ink-${i}`,
            "text-anchor": "middle",
          }),
        );
      });
      const behind = x > width - 64;
      const mix = answer(now);
      const below = TOP + sideIn(width) + 56;
      layer.append(
        handle(x, y),
        text(x + (behind ? -12 : 12), y - 10, "query", {
          class: "label",
          "text-anchor": behind ? "end" : "start",
        }),
        line([[along(mix), below - 16], [along(mix), below]], { class: "marker" }),
        shape("circle", { cx: along(mix), cy: below, r: 6, class: "dot" }),
        text(clamp(along(mix), 44, width - 44), below - 22, `answer ${fixed(mix)}`, {
          class: "label",
          "text-anchor": "middle",
        }),
      );
    };
    const plane = picture({
      height: (width) => TOP + sideIn(width) + 88,
      label:
        "A plane with three keys and a query. Round each key a circle as large as its share; " +
        "below the plane a line with the three values and their mix, the answer.",
      still,
      moving,
    });
    plane.svg.classList.add("explorer-both-ways");
    draggable(plane.svg, (x, y) => {
      query[0].value = clamp(across.back(x), -REACH, REACH);
      query[1].value = clamp(up.back(y), -REACH, REACH);
      update();
    });

    const body = tag("tbody");
    const results = table(["key", "score", "share", "value"], body);

    function update() {
      const now = place();
      const [scores, shares] = [scoresOf(now), weights(now)];
      body.replaceChildren(
        ...KEYS.map((key, i) =>
          tag(
            "tr",
            {},
            tag("th", { scope: "row", class: `ink-${i}` }, `(${key.map((k) => fixed(k, 0)).join(", ")})`),
            tag("td", {}, fixed(scores[i])),
            tag("td", {}, fixed(shares[i], 3)),
            tag("td", {}, String(VALUES[i])),
          ),
        ),
      );
      plane.redraw();
      const taken = VALUES.map((value, i) => `${fixed(shares[i], 3)} of ${value}`).join(", ");
      spoken.say(
        `The query (${now.map((v) => fixed(v, 1)).join(", ")}) takes ${taken}: ` +
          `the answer is ${fixed(answer(now), 3)}.`,
      );
    }

    function reset() {
      query.forEach((s, i) => (s.value = QUERY[i]));
      update();
    }

    update();
    return {
      title: "A query looks among three keys",
      parts: [
        plane.element,
        ...query.map((s) => s.element),
        results,
        tag("div", { class: "explorer-buttons" }, button("start again", reset)),
        spoken.element,
      ],
    };
  }

  define("attention", { answer, scoresOf, weights }, build);
})();
