/* How often a network is right over how certain it is, at any temperature: the answers
   of chapter 08 about pictures by hands that are new to the network. */
"use strict";

(() => {
  const { button, define, draggable, fixed, line, linspace, marker, picture } = Explorer;
  const { scale, sentence, shape, slider, tag, text } = Explorer;

  const scores = DigitScores.behind.flat().map((hundredths) => -hundredths / 100);
  const right = Array.from(DigitScores.right, Number);
  const CLASSES = scores.length / right.length;
  const BINS = 10;
  const COLDEST = -1; // temperatures are powers of 2
  const HOTTEST = 3;

  const mean = (numbers) => numbers.reduce((a, b) => a + b) / numbers.length;
  const ACCURACY = mean(right);

  /** The largest share of each picture. */
  function certainties(T) {
    const shares = Library.softmax(scores.map((s) => s / T), "float64", CLASSES);
    return right.map((_, i) => Math.max(...shares.subarray(i * CLASSES, (i + 1) * CLASSES)));
  }

  /** Wilson's interval for the accuracy of n answers, of which so many are right. */
  function wilson(hits, n, z = 1.96) {
    const centre = (hits + z ** 2 / 2) / (n + z ** 2);
    const half = (z / (n + z ** 2)) * Math.sqrt((hits * (n - hits)) / n + z ** 2 / 4);
    return [centre - half, centre + half];
  }

  /** The answers by their certainty, in the bins that have any. */
  function inBins(sure) {
    const bins = Array.from({ length: BINS }, () => ({ count: 0, certainty: 0, hits: 0 }));
    sure.forEach((c, i) => {
      const bin = bins[Math.min(Math.floor(c * BINS), BINS - 1)];
      bin.count += 1;
      bin.certainty += c;
      bin.hits += right[i];
    });
    return bins.flatMap(({ count, certainty, hits }, place) => {
      if (!count) return [];
      const [low, high] = wilson(hits, count);
      return [{ place, count, certainty: certainty / count, right: hits / count, low, high }];
    });
  }

  function build() {
    const spoken = sentence();
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
    let sure; // the certainties at this temperature

    const TOP = 24;
    const BARS = 84; // from the diagram to the foot of the bars
    const sideIn = (width) => Math.min(width - 52, 330);
    let across, up;
    const still = (layer, width) => {
      const side = sideIn(width);
      const left = Math.max(38, (width - side) / 2);
      across = scale([0, 1], [left, left + side]);
      up = scale([0, 1], [TOP + side, TOP]);
      const foot = up(0) + BARS;
      for (const share of [0, 0.5, 1]) {
        layer.append(
          line([[across(0), up(share)], [across(1), up(share)]], { class: "grid" }),
          text(across(0) - 8, up(share) + 4, share, { "text-anchor": "end" }),
          text(across(share), foot + 18, share, { "text-anchor": "middle" }),
        );
      }
      const [x, y] = [across(0) + 46, up(0) - 52];
      layer.append(
        line([[across(0), foot], [across(1), foot]], { class: "grid" }),
        line([[across(0), up(0)], [across(1), up(1)]], { class: "curve thin dashed" }),
        text(x, y, "calibrated", { "text-anchor": "middle", transform: `rotate(-45 ${x} ${y})` }),
        text(across(0) - 30, TOP - 10, "fraction right"),
        text(across(0.5), foot + 38, "certainty", { "text-anchor": "middle" }),
      );
    };
    const bar = ({ place, count }) => {
      const [start, end] = [across(place / BINS) + 1, across((place + 1) / BINS) - 1];
      const foot = up(0) + BARS;
      const tall = (count / right.length) * (BARS - 34);
      const size = { x: start, y: foot - tall, width: end - start, height: tall };
      const fits = 7.5 * String(count).length < end - start + 6;
      const number = text((start + end) / 2, foot - tall - 5, count, {
        class: "small",
        "text-anchor": "middle",
      });
      return [shape("rect", { ...size, class: "bar ink-0" }), ...(fits ? [number] : [])];
    };
    const point = ({ certainty, right: fraction, low, high }) => {
      const x = across(certainty);
      return [
        line([[x, up(low)], [x, up(high)]], { class: "curve thin ink-0" }),
        shape("circle", { cx: x, cy: up(fraction), r: 5, class: "dot ink-0" }),
      ];
    };
    const moving = (layer) => {
      const bins = inBins(sure);
      const says = mean(sure);
      const x = across(says);
      const y = up(ACCURACY);
      const room = x - across(0) > 100;
      layer.append(
        ...bins.flatMap(bar),
        line([[across(0), y], [across(1), y]], { class: "edge" }),
        line([[across(ACCURACY), y], [x, y]], { class: "curve wide ink-3" }),
        ...bins.flatMap(point),
        ...marker(x, up(1), up(0)),
        text(across(0) + 6, y - 7, `right ${fixed(ACCURACY)}`, { class: "label" }),
        text(x + (room ? -10 : 10), up(0) - 10, `certain ${fixed(says)}`, {
          class: "label",
          "text-anchor": room ? "end" : "start",
        }),
      );
    };
    const diagram = picture({
      height: (width) => TOP + sideIn(width) + BARS + 46,
      label:
        "A reliability diagram: the fraction of right answers over their certainty, with " +
        "intervals, beside the diagonal of a calibrated network; below it the answers in " +
        "each bin. A line marks the mean certainty, and a bar its distance from the accuracy.",
      still,
      moving,
    });
    // Each temperature has its mean certainty; dragging looks the temperature up.
    let means;
    const powers = linspace(COLDEST, HOTTEST, 81);
    draggable(diagram.svg, (x) => {
      means ??= powers.map((p) => mean(certainties(2 ** p)));
      const distances = means.map((m) => Math.abs(across(m) - x));
      power.value = powers[distances.indexOf(Math.min(...distances))];
      update();
    });

    function update() {
      const T = 2 ** power.value;
      sure = certainties(T);
      diagram.redraw();
      const gap = mean(sure) - ACCURACY;
      const verdict =
        Math.abs(gap) < 0.005
          ? "the two agree within half a percent"
          : `it is too ${gap > 0 ? "sure" : "unsure"} by ${fixed(Math.abs(gap), 3)}`;
      spoken.say(
        `At T = ${fixed(T)} the network says ${fixed(mean(sure), 3)} on average and is right ` +
          `in ${fixed(ACCURACY, 3)} of its ${right.length} answers: ${verdict}.`,
      );
    }

    function reset() {
      power.value = 0;
      update();
    }

    update();
    return {
      title: "Is a network as often right as it says?",
      parts: [
        diagram.element,
        power.element,
        tag("div", { class: "explorer-buttons" }, button("start again", reset)),
        spoken.element,
      ],
    };
  }

  define("reliability", { bins: (T) => inBins(certainties(T)), certainties }, build);
})();
