/* Attention in pieces: a row of keys is cut, each piece is summed up in a maximum, a sum
   and a mix, and pieces are merged in any order. */
"use strict";

(() => {
  const { button, clamp, define, draggable, fixed, line, marker, picture } = Explorer;
  const { precise, scale, sentence, shape, slider, table, tag, text } = Explorer;

  const KEYS = [0.9, -0.4, 1.3, 0.2, -1.1, 0.6, 1.5, -0.7, 0.1, 1.2, -1.4, 0.8, -0.2, 1.4, 0.5, -0.9];
  const VALUES = [3, 8, 1, 6, 9, 2, 7, 4, 5, 9, 1, 8, 2, 3, 6, 7];
  const QUERY = 2;
  const REACH = 4;
  const CUTS = [4, 8, 12]; // each after so many keys
  const LETTERS = ["A", "B", "C", "D"];

  const scoresOf = (query) => Array.from(Library.round(KEYS.map((key) => query * key), "float32"));

  const merge = (parts) => Library.merge_parts(parts);

  /** The keys between two cuts as one part: parts of single keys, merged at once. */
  const piece = (scores, from, to) =>
    merge(
      scores.slice(from, to).map((score, i) => ({ maximum: score, sum: 1, mix: VALUES[from + i] })),
    );

  const piecesOf = (scores, cuts) =>
    [0, ...cuts].map((from, i) => piece(scores, from, cuts[i] ?? KEYS.length));

  /** What is left when parts are merged two by two, in every order. */
  function everyOrder(parts) {
    if (parts.length === 1) return parts;
    return parts.flatMap((one, i) =>
      parts.slice(i + 1).flatMap((other) => {
        const rest = parts.filter((part) => part !== one && part !== other);
        return everyOrder([...rest, merge([one, other])]);
      }),
    );
  }

  /** The values, mixed by the library's shares and rounded once. */
  const ofLibrary = (scores) =>
    Math.fround(
      Library.softmax(scores, "float32").reduce((sum, share, i) => sum + share * VALUES[i], 0),
    );

  const errorOf = (answer, scores) => Exact.ulps(answer, Exact.mixture(scores, VALUES), "float32");

  /** A float32 in hexadecimal; the digits that only a float64 has are 0. */
  const hexOf = (x) => Exact.hex(x).replace(/0{7}p/, "p");

  function build() {
    const spoken = sentence();
    const cuts = [...CUTS];
    // Lists of places in LETTERS, nested as they were merged.
    let trees = LETTERS.map((_, i) => i);
    const query = slider(
      { label: "query", min: -REACH, max: REACH, step: 0.1, value: QUERY },
      () => update(),
    );
    const sliders = cuts.map((cut, i) =>
      slider(
        { label: `cut ${i + 1}`, min: 1, max: KEYS.length - 1, step: 1, value: cut, show: String },
        () => moveCut(i, sliders[i].value),
      ),
    );

    const [TOP, BOTTOM] = [10, 130];
    const up = scale([-REACH * 1.5, REACH * 1.5], [BOTTOM, TOP]);
    let across;
    const still = (layer, width) => {
      across = scale([0, KEYS.length], [4, width - 4]);
      layer.append(line([[4, up(0)], [width - 4, up(0)]], { class: "grid" }));
      VALUES.forEach((value, i) =>
        layer.append(text(across(i + 0.5), BOTTOM + 16, value, { "text-anchor": "middle" })),
      );
    };
    const leaves = (tree) => [tree].flat(Infinity);
    const nameOf = (tree) => leaves(tree).map((i) => LETTERS[i]).join("");
    const inkOf = (i) => `ink-${Math.min(...leaves(trees.find((tree) => leaves(tree).includes(i))))}`;
    const moving = (layer) => {
      const scores = scoresOf(query.value);
      const width = across(1) - across(0) - 3;
      LETTERS.forEach((letter, i) => {
        const [from, to] = [i ? cuts[i - 1] : 0, cuts[i] ?? KEYS.length];
        for (let k = from; k < to; k++) {
          const [y, zero] = [up(scores[k]), up(0)];
          layer.append(
            shape("rect", {
              x: across(k) + 1.5, width, y: Math.min(y, zero), height: Math.max(Math.abs(y - zero), 1),
              class: `bar ${inkOf(i)}`,
            }),
          );
        }
        layer.append(
          text(across((from + to) / 2), BOTTOM + 38, letter, {
            class: `label ${inkOf(i)}`,
            "text-anchor": "middle",
          }),
        );
      });
      for (const cut of cuts) layer.append(...marker(across(cut), TOP, BOTTOM + 30));
    };
    const row = picture({
      height: BOTTOM + 46,
      label:
        "Sixteen bars, the scores of a query with as many keys, cut into four pieces A to D. Below " +
        "each bar is the value of its key. Pieces that were merged have one colour.",
      still,
      moving,
    });
    draggable(row.svg, (x) => {
      const at = across.back(x);
      const distances = cuts.map((cut) => Math.abs(cut - at));
      moveCut(distances.indexOf(Math.min(...distances)), Math.round(at));
    });

    const pieceBody = tag("tbody");
    const pieces = table(["piece", "maximum", "sum", "mix"], pieceBody);
    const answerBody = tag("tbody");
    const answers = table(["way", "answer", "bits", "error in ULP"], answerBody);
    const merges = tag("div", { class: "explorer-buttons" });
    const again = button("start again", reset);

    /** The part that a tree stands for. */
    const partOf = (tree, parts) =>
      Array.isArray(tree) ? merge(tree.map((branch) => partOf(branch, parts))) : parts[tree];

    const cell = (...words) => tag("td", {}, ...words);
    /** Where there is no room for a hexadecimal number, its exponent goes to a new line. */
    const hexCell = (hex) => {
      const [digits, exponent] = hex.split("p");
      return cell(digits, tag("wbr"), `p${exponent}`);
    };

    function update(note = "") {
      const scores = scoresOf(query.value);
      const parts = piecesOf(scores, cuts);
      const left = trees.map((tree) => partOf(tree, parts));
      pieceBody.replaceChildren(
        ...trees.map((tree, i) => {
          const numbers = [left[i].maximum, left[i].sum, left[i].mix];
          const name = tag("th", { scope: "row", class: inkOf(leaves(tree)[0]) }, nameOf(tree));
          return tag("tr", {}, name, ...numbers.map((number) => cell(precise(number, 9))));
        }),
      );
      const ends = everyOrder(parts);
      const found = new Map();
      for (const { answer } of ends) found.set(answer, (found.get(answer) ?? 0) + 1);
      const several = [...found.keys()].sort((a, b) => a - b);
      const ways = several.map((answer) => {
        const count = found.get(answer);
        return [count === 1 ? "1 order" : `${count} orders`, answer];
      });
      ways.push(["in one piece", piece(scores, 0, KEYS.length).answer]);
      ways.push(["the library's shares", ofLibrary(scores)]);
      answerBody.replaceChildren(
        ...ways.map(([way, answer]) => {
          const name = tag("th", { scope: "row" }, way);
          const error = cell(fixed(errorOf(answer, scores)));
          return tag("tr", {}, name, cell(precise(answer, 9)), hexCell(hexOf(answer)), error);
        }),
        tag(
          "tr",
          {},
          tag("th", { scope: "row" }, "exact"),
          tag("td", { class: "digits", colspan: 3 }, Exact.digits(Exact.mixture(scores, VALUES))),
        ),
      );
      row.redraw();
      const maxima = new Set(ends.map(({ maximum }) => maximum));
      const worst = Math.max(...several.map((answer) => errorOf(answer, scores)));
      const same =
        several.length === 1
          ? `the answer is always ${precise(several[0], 9)},`
          : `the answer is one of ${several.length} float32 numbers, ${precise(several[0], 9)} to ` +
            `${precise(several.at(-1), 9)},`;
      const sizes = [...cuts, KEYS.length].map((cut, i) => cut - (i ? cuts[i - 1] : 0));
      const list = `${sizes.slice(0, -1).join(", ")} and ${sizes.at(-1)}`;
      const merged =
        left.length > 1
          ? `Merged in ${ends.length} orders`
          : `All are merged, and the answer is ${precise(left[0].answer, 9)}. In ${ends.length} orders`;
      spoken.say(
        `${note}The query ${fixed(query.value, 1)} meets pieces of ${list} keys. ${merged} ` +
          `the maximum is ${[...maxima].map((m) => precise(m, 9)).join(" or ")} and ${same} at most ` +
          `${fixed(worst)} ULP from the exact one.`,
      );
    }

    /** Make a button for each two pieces that are left. */
    function offer() {
      merges.replaceChildren(
        ...trees.flatMap((one, i) =>
          trees.slice(i + 1).map((other) => {
            const label = `merge ${nameOf(one)} and ${nameOf(other)}`;
            return button(label, () => join(one, other));
          }),
        ),
        again,
      );
    }

    function join(one, other) {
      trees = trees.flatMap((tree) => (tree === one ? [[one, other]] : tree === other ? [] : [tree]));
      offer();
      merges.querySelector("button").focus(); // the one that was pressed is gone
      update(`${nameOf(one)} and ${nameOf(other)} were merged. `);
    }

    function split() {
      trees = LETTERS.map((_, i) => i);
      offer();
    }

    function moveCut(i, to) {
      const [low, high] = [(cuts[i - 1] ?? 0) + 1, (cuts[i + 1] ?? KEYS.length) - 1];
      cuts[i] = sliders[i].value = clamp(to, low, high);
      split();
      update();
    }

    function reset() {
      CUTS.forEach((cut, i) => (cuts[i] = sliders[i].value = cut));
      query.value = QUERY;
      split();
      update();
    }

    split();
    update();
    return {
      title: "Attention in four pieces, merged in any order",
      parts: [
        row.element,
        tag("p", { class: "explorer-key" }, "bars: scores · numbers below them: values"),
        query.element,
        ...sliders.map((s) => s.element),
        pieces,
        merges,
        spoken.element,
        answers,
      ],
    };
  }

  const exactly = (scores) => Exact.digits(Exact.mixture(scores, VALUES));
  define("pieces", { errorOf, everyOrder, exactly, merge, ofLibrary, piece, piecesOf, scoresOf }, build);
})();
