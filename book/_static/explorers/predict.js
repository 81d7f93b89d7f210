/* A guess first: bars that share one whole among three scores, and then what the library
   makes of the same scores. */
"use strict";

(() => {
  const { button, clamp, define, draggable, fixed, handle, line, listShares } = Explorer;
  const { picture, scale, sentence, shape, slider, softmax, tag, text } = Explorer;

  const CLASSES = ["cat", "dog", "boat"];
  const SCORES = [2, 1, -1];
  const DOUBLED = SCORES.map((s) => 2 * s);
  const ROW = 52;

  /** Give one class a share; the others keep their proportions in what is left. */
  function withShare(shares, i, share) {
    const others = 1 - shares[i];
    return shares.map((p, k) => {
      if (k === i) return share;
      return others > 0 ? (p * (1 - share)) / others : (1 - share) / (shares.length - 1);
    });
  }

  /** Say how a guess differs from the shares of scores. */
  function compare(guess, scores) {
    const shares = softmax(scores);
    const off = guess.map((g, i) => Math.abs(g - shares[i]));
    const worst = off.indexOf(Math.max(...off));
    const [ours, yours] = [shares, guess].map(([cat, dog]) => fixed(cat / dog));
    return (
      `Softmax gives ${listShares(CLASSES, shares)}: for the ${CLASSES[worst]} your guess is ` +
      `${fixed(off[worst], 3)} away. The cat's score leads the dog's by ${fixed(scores[0] - scores[1], 0)}, ` +
      `and it has ${ours} times ` +
      `the dog's share; in your guess ${guess[1] > 0 ? `it has ${yours} times` : "the dog has nothing"}.`
    );
  }

  /** Build the bars for scores; a guess begins with the shares of other scores. */
  function build(title, scores, others) {
    const spoken = sentence();
    const shares = softmax(scores);
    let guess = softmax(others);
    let answered = false;

    const sliders = CLASSES.map((label, i) =>
      slider(
        { label, min: 0, max: 1, step: 0.01, value: guess[i], show: (v) => fixed(v) },
        () => give(i, sliders[i].value),
      ),
    );

    let across;
    const middle = (i) => 32 + ROW * i;
    const still = (layer, width) => {
      across = scale([0, 1], [72, width - 14]);
      CLASSES.forEach((name, i) => {
        const y = middle(i);
        const track = { x: across(0), y: y - 9, width: across(1) - across(0), height: 18 };
        layer.append(
          shape("rect", { ...track, class: "track" }),
          text(4, y + 5, `${name} ${fixed(scores[i], 0)}`, { class: `label ink-${i}` }),
        );
      });
      for (const tick of [0, 0.5, 1]) {
        layer.append(text(across(tick), middle(2) + 34, tick, { "text-anchor": "middle" }));
      }
    };
    const moving = (layer, width) => {
      guess.forEach((share, i) => {
        const [x, y] = [across(share), middle(i)];
        const bar = { x: across(0), y: y - 9, width: x - across(0), height: 18 };
        layer.append(shape("rect", { ...bar, class: `bar ink-${i}` }), handle(x, y));
        if (!answered) return;
        const right = across(shares[i]);
        layer.append(
          line([[right, y - 14], [right, y + 14]], { class: "curve" }),
          text(clamp(right, 118, width - 46), y - 18, `softmax ${fixed(shares[i])}`, {
            class: "label",
            "text-anchor": "middle",
          }),
        );
      });
    };
    const bars = picture({
      height: middle(2) + 40,
      label:
        "Three bars from 0 to 1, one for each score, that can be dragged to the shares that " +
        "you expect. Together they are one whole.",
      still,
      moving,
    });
    let held; // the bar that a finger or the mouse is on
    bars.svg.addEventListener("pointerdown", (event) => {
      const y = event.clientY - bars.svg.getBoundingClientRect().top;
      held = clamp(Math.round((y - middle(0)) / ROW), 0, CLASSES.length - 1);
    });
    draggable(bars.svg, (x) => give(held, clamp(across.back(x), 0, 1)));

    function give(i, share) {
      guess = withShare(guess, i, share);
      guess.forEach((p, k) => (sliders[k].value = p));
      update();
    }

    function update() {
      bars.redraw();
      spoken.say(answered ? compare(guess, scores) : `Your guess: ${listShares(CLASSES, guess)}.`);
    }

    function answer() {
      answered = true;
      update();
    }

    function reset() {
      guess = softmax(others);
      guess.forEach((p, k) => (sliders[k].value = p));
      answered = false;
      update();
    }

    update();
    return {
      title,
      parts: [
        bars.element,
        ...sliders.map((s) => s.element),
        tag(
          "div",
          { class: "explorer-buttons" },
          button("run softmax", answer),
          button("start again", reset),
        ),
        spoken.element,
      ],
    };
  }

  const first = () => build("Guess first: how much of the whole for each score?", SCORES, [0, 0, 0]);
  const again = () => build("Guess again: every score is doubled", DOUBLED, SCORES);
  define("predict", { withShare }, first);
  define("predict_doubled", { withShare }, again);
})();
