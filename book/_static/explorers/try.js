/* Scores of the reader's own: what the naive and the shifted formula and the library
   make of them, bit by bit, beside the exact shares. On the page "Try it" the address holds what was
   typed. In a chapter the first scores are those of the attribute `data-state`, written
   as in that address, and a link leads to the page. */
"use strict";

(() => {
  const { button, define, fixed, precise, sentence, table, tag } = Explorer;

  const MOST_TEXT = 100_000; // characters
  const MOST = 2000; // numbers
  const FIRST_SHOWN = 25; // scores in the table
  const MOST_ADDRESS = 2000; // characters
  const PAUSE = 150; // milliseconds without a change
  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  const WORDS = { inf: Infinity, infinity: Infinity, "∞": Infinity, nan: NaN };
  const FORMATS = ["float16", "float32", "float64"];
  const AXES = { lines: "each line", columns: "each column", all: "all numbers" };
  const WAYS = {
    naive: (scores, format) => Library.naive_softmax(scores, format),
    shifted: (scores, format) => Library.shifted_softmax(scores, format),
    library: (scores, format) => Library.softmax(scores, format),
  };
  const FIRST = { x: "0.7 1.5 4.8", format: "float32", axis: "lines", T: "1" };
  const EXAMPLES = {
    "too large for the naive formula": { ...FIRST, x: "1000 999 998", format: "float64" },
    "losers in float16": { ...FIRST, x: "0 -9 -18", format: "float16" },
    "a shift that costs digits": { ...FIRST, x: "-87.3 -44.1 0.1 60.7" },
    "a table by columns": { ...FIRST, x: "1 2 3\n4 5 6", axis: "columns" },
    "a low temperature": { ...FIRST, x: "2 1 -1", T: "0.125" },
  };

  const count = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;

  /** Say why a word is no number. */
  function reason(word) {
    if (/^[+-]?0x/i.test(word)) return "hexadecimal numbers are not read here";
    if ((word.match(/\./g) ?? []).length > 1) return "it has more than one point";
    if (/^[+-]?[\d.]+e[+-]?$/i.test(word)) return "its exponent has no digits";
    if (/^[a-z]+$/i.test(word)) return "of words only inf and nan are read";
    if (/^[\d.]+%$/.test(word)) return "percent signs are not read";
    return "a number has digits, at most one point, and an exponent such as e-3";
  }

  /** Read a number; undefined if it is none. */
  function read(word) {
    const plain = word.replace(/^[−–]/, "-");
    if (NUMBER.test(plain)) return Number(plain);
    const size = WORDS[plain.replace(/^[+-]/, "").toLowerCase()];
    return size === undefined ? undefined : plain.startsWith("-") ? -size : size;
  }

  /** Read a table of numbers: { lines } or { problem }, a sentence. */
  function parse(text) {
    if (text.length > MOST_TEXT) {
      return {
        problem:
          `This is a text of ${count(text.length, "character")}; here at most ` +
          `${count(MOST_TEXT, "character")} are read. In Python the library takes arrays of any size.`,
      };
    }
    const lines = text
      .split(/\n/)
      .map((line) => line.split(/[\s,;|[\]()]+/).filter(Boolean))
      .filter((line) => line.length);
    if (!lines.length) return { problem: "There is no number yet." };
    const total = lines.reduce((sum, line) => sum + line.length, 0);
    if (total > MOST) {
      return { problem: `These are ${count(total, "number")}; here at most ${count(MOST, "number")} are computed.` };
    }
    const numbers = lines.map((line) => line.map(read));
    for (const [i, line] of numbers.entries()) {
      const k = line.indexOf(undefined);
      if (k < 0) continue;
      const where = lines.length > 1 ? `Number ${k + 1} of line ${i + 1}` : `Number ${k + 1}`;
      const word = lines[i][k];
      const shown = word.length > 20 ? `${word.slice(0, 20)}…` : word;
      return { problem: `${where}, “${shown}”, is no number: ${reason(word)}.` };
    }
    const odd = numbers.findIndex((line) => line.length !== numbers[0].length);
    if (odd > 0) {
      return {
        problem:
          `Line ${odd + 1} has ${count(numbers[odd].length, "number")} and line 1 has ` +
          `${numbers[0].length}: the lines of a table are equally long.`,
      };
    }
    return { lines: numbers };
  }

  /** The slices of a table along an axis: lists of [line, place] of their numbers. */
  function slices(lines, axis) {
    const places = lines.map((line, i) => line.map((_, k) => [i, k]));
    if (axis === "lines") return places;
    if (axis === "columns") return lines[0].map((_, k) => places.map((line) => line[k]));
    return [places.flat()];
  }

  /** Compute all shares of a table: a list of entries, in its order. */
  function shares(lines, format, axis, temperature) {
    const results = lines.map(() => []);
    const T = Library.round([temperature], format)[0];
    for (const slice of slices(lines, axis)) {
      const given = Library.round(slice.map(([i, k]) => lines[i][k]), format);
      const scores = Array.from(Library.round(Array.from(given, (s) => s / T), format));
      const exact = Exact.softmax(scores);
      const ways = Object.values(WAYS).map((way) => way(scores, format));
      slice.forEach(([i, k], at) => {
        const values = ways.map((way) => way[at]);
        const errors = values.map((value) => {
          if (!exact[at]) return Number.isNaN(value) ? 0 : Infinity;
          return Number.isFinite(value) ? Exact.ulps(value, exact[at], format) : Infinity;
        });
        results[i][k] = { score: scores[at], exact: exact[at], values, errors };
      });
    }
    return results.flat();
  }

  const writeError = (error) =>
    error === Infinity ? "wrong" : error < 1000 ? `${fixed(error)} ULP` : `${precise(error, 3)} ULP`;

  /** Say how far the three ways are off. */
  function verdict(entries, format) {
    if (entries.every(({ exact }) => !exact)) {
      return "The shares are undefined: a score is NaN or +∞, or all are −∞. All three give nan.";
    }
    const worst = Object.keys(WAYS).map((_, k) => Math.max(...entries.map(({ errors }) => errors[k])));
    const words = Object.keys(WAYS).map((name, k) => {
      const who = name === "library" ? "the library" : `the ${name} formula`;
      if (worst[k] !== Infinity) return `${who} is off by at most ${writeError(worst[k])}`;
      const wrong = entries.filter(({ errors }) => errors[k] === Infinity).length;
      return `${who} fails for ${wrong} of ${count(entries.length, "number")}`;
    });
    return `In ${format} ${words.join(", ")}.`;
  }

  /** Write scores and choices as the part of an address after #. */
  function toAddress(state) {
    const text = `#${new URLSearchParams(state)}`;
    return text.length > MOST_ADDRESS ? "#" : text;
  }

  /** Read them again; what is missing or unknown is what the page begins with. */
  function fromAddress(text) {
    const given = new URLSearchParams(text.replace(/^#/, ""));
    const known = { format: FORMATS, axis: Object.keys(AXES) };
    return Object.fromEntries(
      Object.entries(FIRST).map(([name, first]) => {
        const value = given.get(name) ?? first;
        return [name, known[name] && !known[name].includes(value) ? first : value];
      }),
    );
  }

  function choice(label, options, changed) {
    const select = tag("select", {}, ...Object.entries(options).map(([value, words]) => tag("option", { value }, words)));
    select.addEventListener("change", changed);
    return [select, tag("label", { class: "try-choice" }, tag("span", {}, label), select)];
  }

  function build({ state: given }) {
    const onItsPage = given === undefined;
    const first = onItsPage ? FIRST : fromAddress(given);
    const spoken = sentence();
    let waiting;
    const later = () => {
      clearTimeout(waiting);
      waiting = setTimeout(update, PAUSE);
    };
    const scores = tag("textarea", { rows: 4, spellcheck: "false", autocapitalize: "off" });
    scores.addEventListener("input", later);
    scores.addEventListener("paste", (event) => {
      // A text of megabytes would stop the page when it is laid out.
      const text = event.clipboardData?.getData("text") ?? "";
      if (text.length <= MOST_TEXT) return;
      event.preventDefault();
      refuse(parse(text).problem);
    });
    const [format, formatLabel] = choice("format", Object.fromEntries(FORMATS.map((f) => [f, f])), update);
    const [axis, axisLabel] = choice("softmax of", AXES, update);
    const temperature = tag("input", { type: "text", inputmode: "decimal", size: 6 });
    temperature.addEventListener("input", later);
    const results = table(["score", "way", "share", "bits", "error"], "");
    const head = results.querySelector("thead");
    const scroller = tag("div", { class: "try-results", tabindex: "0", role: "region", "aria-label": "Shares" }, results);
    const page = tag("a", { class: "try-page" }, "open these scores on the page “Try it”");
    const all = button("show all", () => show(shown, shown.length));
    let shown = [];

    /** The rows of a score: a row for each way, and the exact share below them. */
    function group({ score, exact, values, errors }) {
      const rows = Object.keys(WAYS).map((name, k) =>
        tag(
          "tr",
          { class: name },
          tag("th", { scope: "row" }, name),
          tag("td", errors[k] > 2 ? { class: "wrong" } : {}, precise(values[k], 9)),
          tag("td", {}, tag("code", {}, Exact.hex(values[k]))),
          tag("td", errors[k] > 2 ? { class: "wrong" } : {}, writeError(errors[k])),
        ),
      );
      const digits = tag("code", {}, exact ? Exact.digits(exact) : "undefined");
      rows.push(tag("tr", {}, tag("th", { scope: "row" }, "exact"), tag("td", { colspan: 3 }, digits)));
      rows[0].prepend(tag("th", { scope: "rowgroup", rowspan: rows.length }, precise(score, 9)));
      return tag("tbody", {}, ...rows);
    }

    function show(entries, most) {
      shown = entries;
      results.replaceChildren(head, ...entries.slice(0, most).map(group));
      all.hidden = entries.length <= most;
      all.textContent = `show all ${entries.length}`;
      scroller.hidden = !entries.length;
    }

    function refuse(problem) {
      show([], 0);
      spoken.say(problem);
    }

    function update() {
      clearTimeout(waiting);
      const state = { x: scores.value, format: format.value, axis: axis.value, T: temperature.value };
      const { lines, problem } = parse(state.x);
      if (problem) return refuse(problem);
      const address = toAddress(state);
      if (onItsPage) history.replaceState(null, "", address);
      page.href = `${document.documentElement.dataset.content_root}book/try.html${address}`;
      const T = read(state.T.trim());
      if (!(T > 0 && T < Infinity && Library.round([T], state.format)[0] > 0)) {
        return refuse(`The temperature, “${state.T}”, has to be a number above 0.`);
      }
      const entries = shares(lines, state.format, state.axis, T);
      show(entries, FIRST_SHOWN);
      spoken.say(verdict(entries, state.format));
    }

    function set(state) {
      scores.value = state.x;
      format.value = state.format;
      axis.value = state.axis;
      temperature.value = state.T;
      update();
    }

    const buttons = [all, button("start again", () => set(first))];
    if (onItsPage) {
      const example = ([name, state]) => button(name, () => set(state));
      buttons.push(...Object.entries(EXAMPLES).map(example));
      addEventListener("hashchange", () => set(fromAddress(location.hash)));
    }
    set(onItsPage ? fromAddress(location.hash) : first);
    return {
      title: `${onItsPage ? "Your" : "These"} scores, three ways and exactly`,
      parts: [
        tag("label", { class: "try-scores" }, tag("span", {}, "scores, in one line or in several"), scores),
        tag(
          "div",
          { class: "try-choices" },
          formatLabel,
          axisLabel,
          tag("label", { class: "try-choice" }, tag("span", {}, "temperature"), temperature),
        ),
        spoken.element,
        scroller,
        tag("div", { class: "explorer-buttons" }, ...buttons),
        ...(onItsPage ? [] : [page]),
      ],
    };
  }

  const exactly = (scores) => Exact.softmax(scores).map((share) => share && Exact.digits(share));
  const errors = (results, scores, format) =>
    Exact.softmax(scores).map((share, i) => Exact.ulps(results[i], share, format));
  define("try", { errors, exactly, fromAddress, hex: Exact.hex, parse, shares, toAddress }, build);
})();
