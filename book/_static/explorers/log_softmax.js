/* Two scores, 0 and −d, in float32: what three ways to the logarithm of their shares
   still know when d grows. */
"use strict";

(() => {
  const { clamp, define, draggable, fixed, line, linspace, marker, picture } = Explorer;
  const { precise, scale, sentence, shape, slider, table, tag, text } = Explorer;
  const f = Math.fround;

  /** The logarithm of softmax, by the browser's logarithm. */
  const logOfSoftmax = (d) => Array.from(Library.softmax([0, -d], "float32"), (p) => f(Math.log(p)));

  /** The scores less their log-sum-exp. */
  function minusLogSumExp(d) {
    const [total] = Library.logsumexp([0, -d], "float32");
    return [f(0 - total), f(-d - total)];
  }

  const logSoftmax = (d) => Array.from(Library.log_softmax([0, -d], "float32"));

  const WAYS = [
    ["log of softmax", logOfSoftmax],
    ["x − log-sum-exp", minusLogSumExp],
    ["log-softmax", logSoftmax],
  ];
  const FAR = 120;
  const FIRST = 20;

  function build() {
    const spoken = sentence();
    const lead = slider(
      { label: "lead d of the winner", min: 0, max: FAR, step: 0.5, value: FIRST },
      () => update(),
    );
    const steps = linspace(0, FAR, 481);
    let across;

    // Points where the way still knows something; then it falls off the picture.
    const drawn = (way, which, known, up) => {
      const points = [];
      for (const d of steps) {
        const value = way(d)[which];
        if (!known(value)) {
          points.push([across(d), up.floor]);
          break;
        }
        points.push([across(d), up(value)]);
      }
      return points;
    };

    // Above the one curve, and beside the fall of the other.
    function callByName(which, known, up) {
      const [near, far] = [60, steps.find((d) => !known(logOfSoftmax(d)[which]))];
      const [side, anchor] = far < FAR / 2 ? [15, "start"] : [-8, "end"];
      return [
        text(across(near) + 4, up(logSoftmax(near)[which]) - 10, "log-softmax", { class: "label ink-2" }),
        text(across(far) + side, up.floor - 8, "log of softmax", { class: "label ink-3", "text-anchor": anchor }),
      ];
    }

    function panel(title, which, known, up, ticks, bottom) {
      const still = (layer, width) => {
        across = scale([0, FAR], [52, width - 10]);
        layer.append(text(0, 13, title, { class: "label" }));
        for (const [value, name] of ticks) {
          layer.append(
            line([[across(0), up(value)], [across(FAR), up(value)]], { class: "grid" }),
            text(46, up(value) + 4, name, { "text-anchor": "end" }),
          );
        }
        for (const d of [0, 40, 80, 120]) {
          layer.append(text(across(d), 204, d, { "text-anchor": d === FAR ? "end" : "middle" }));
        }
        layer.append(
          line(drawn(logSoftmax, which, known, up), { class: "curve ink-2 wide" }),
          line(drawn(logOfSoftmax, which, known, up), { class: "curve ink-3 dashed" }),
          ...callByName(which, known, up),
          text(46, up.floor + 4, bottom, { "text-anchor": "end", class: "ink-3" }),
        );
      };
      const moving = (layer) => {
        const d = lead.value;
        layer.append(...marker(across(d), 24, up.floor + 12));
        for (const [way, ink] of [[logSoftmax, 2], [logOfSoftmax, 3]]) {
          const value = way(d)[which];
          const y = known(value) ? up(value) : up.floor;
          layer.append(shape("circle", { cx: across(d), cy: y, r: 5, class: `dot ink-${ink}` }));
        }
      };
      const label =
        `${title} over the winner's lead d: log-softmax keeps it as far as float32 ` +
        `reaches, the logarithm of softmax falls to ${bottom} before.`;
      const plot = picture({ height: 208, label, still, moving });
      draggable(plot.svg, (x) => {
        lead.value = clamp(Math.round(across.back(x)), 0, FAR);
        update();
      });
      return plot;
    }

    const heightOfWinner = (v) => 30 + (-Math.log10(-v) / 54) * 120;
    const heightOfLoser = (v) => 30 + (-v / FAR) * 120;
    heightOfWinner.floor = heightOfLoser.floor = 170;
    const panels = [
      panel("The winner's logarithm", 0, (v) => v < 0, heightOfWinner,
        [[-1, "−1"], [-1e-18, "−10⁻¹⁸"], [-1e-36, "−10⁻³⁶"]], "0"),
      panel("The loser's logarithm", 1, Number.isFinite, heightOfLoser,
        [[0, "0"], [-40, "−40"], [-80, "−80"]], "−∞"),
    ];

    const body = tag("tbody");
    const results = table(["in float32", "winner", "loser"], body);

    function update() {
      const d = lead.value;
      const [winner, loser] = logSoftmax(d);
      const cell = (value, right) => {
        const lost = !(Math.abs(value - right) <= 0.01 * Math.abs(right));
        return tag("td", lost ? { class: "wrong" } : {}, precise(value, 4));
      };
      body.replaceChildren(
        ...WAYS.map(([name, way], i) => {
          const [w, l] = way(d);
          return tag(
            "tr",
            {},
            tag("th", { scope: "row", class: ["ink-3", "", "ink-2"][i] }, name),
            cell(w, winner),
            cell(l, loser),
          );
        }),
      );
      panels.forEach((p) => p.redraw());
      const [w, l] = logOfSoftmax(d);
      const losses = [];
      if (w === 0) losses.push("makes the winner's logarithm 0");
      if (l === -Infinity) losses.push("the loser's minus infinity");
      spoken.say(
        `Scores 0 and ${fixed(-d, 1)}: the logarithm of softmax ` +
          (losses.length ? losses.join(" and ") : "still keeps both") +
          `; log-softmax gives ${precise(winner)} and ${precise(loser)}.`,
      );
    }

    update();
    return {
      title: "What log-softmax keeps and the logarithm of softmax loses",
      parts: [
        tag("div", { class: "explorer-panels" }, ...panels.map((p) => p.element)),
        lead.element,
        results,
        spoken.element,
      ],
    };
  }

  define("log_softmax", { logOfSoftmax, minusLogSumExp, logSoftmax }, build);
})();
