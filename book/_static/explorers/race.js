/* A race in the reader's browser: softmax of rows of several lengths by a plain loop, by
   the naive formula and by the library. The latter two run in the module; what is copied
   into its memory and back counts. */
"use strict";

(() => {
  const { button, define, precise, sentence, table, tag } = Explorer;

  const LENGTHS = [10, 100, 1000, 10_000, 100_000];
  const ROUNDS = 9;
  const WARM_UP = 50; // milliseconds, in which browsers compile what runs often
  const SAMPLE = 8; // milliseconds, since their clocks are coarse
  const NUMBERS = 200_000; // in all rows of a round

  /** The loop that races. It computes softmax by itself; nothing shows its shares. */
  function loop(scores) {
    const shares = new scores.constructor(scores.length);
    let top = -Infinity;
    for (let i = 0; i < scores.length; i++) top = Math.max(top, scores[i]);
    let total = 0;
    for (let i = 0; i < scores.length; i++) {
      shares[i] = Math.exp(scores[i] - top);
      total += shares[i];
    }
    for (let i = 0; i < scores.length; i++) shares[i] /= total;
    return shares;
  }

  const ARRAYS = { float32: Float32Array, float64: Float64Array };
  const WAYS = {
    "JavaScript loop": loop,
    "naive formula": (scores, format) => Library.naive_softmax(scores, format),
    library: (scores, format) => Library.softmax(scores, format),
  };
  const NAMES = Object.keys(WAYS);

  /** Rows of scores that no call has seen. */
  const freshRows = (n, format) =>
    Array.from({ length: Math.min(NUMBERS / n, 1000) }, () =>
      ARRAYS[format].from({ length: n }, () => 20 * Math.random() - 10),
    );

  /** Milliseconds for so many calls. */
  function time(way, format, rows, calls) {
    let used = 0; // a result that nobody uses need not be computed
    const start = performance.now();
    for (let i = 0; i < calls; i++) used += way(rows[i % rows.length], format)[0];
    const spent = performance.now() - start;
    if (!(used > 0)) throw new Error("no shares");
    return spent;
  }

  const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

  /** Let the page live between two samples. */
  const pause = () => new Promise((done) => setTimeout(done));

  /** Run a way until it is warm; return how many calls make a sample. */
  async function warmUp(way, format, n) {
    const rows = freshRows(n, format);
    for (let calls = 1; ; calls *= 2) {
      const spent = time(way, format, rows, calls);
      if (spent >= WARM_UP) return Math.max(1, Math.round((calls * SAMPLE) / spent));
      await pause();
    }
  }

  /** The numbers that each way does in a microsecond; undefined once it was stopped. */
  async function race(n, format, signal) {
    const ways = Object.values(WAYS);
    const calls = [];
    for (const way of ways) calls.push(await warmUp(way, format, n));
    const times = ways.map(() => []);
    for (let round = 0; round < ROUNDS; round++) {
      const rows = freshRows(n, format);
      for (let turn = 0; turn < ways.length; turn++) {
        await pause();
        if (signal.aborted) return undefined;
        const i = (round + turn) % ways.length;
        times[i].push(time(ways[i], format, rows, calls[i]) / calls[i]);
      }
    }
    return times.map((all) => n / (1000 * median(all)));
  }

  const list = (words) => [words.slice(0, -1).join(", "), words.at(-1)].filter(Boolean).join(" and ");
  const count = (n) => n.toLocaleString("en");

  const FUSED =
    "A multiplication with an addition is one instruction here, as where Python runs the library.";
  const EMULATED =
    "This browser or its processor lacks the instruction for a multiplication with an addition, rounded " +
    "once; the library computes it by dozens of others, which takes most of its time here.";

  /** Say which way was the fastest where, compare the library with the loop, and say what
      the library's time depends on. */
  function verdict(results, format, fused) {
    const fastest = ({ speeds }) => speeds.indexOf(Math.max(...speeds));
    const wins = NAMES.flatMap((name, i) => {
      const lengths = results.filter((result) => fastest(result) === i).map(({ n }) => count(n));
      return lengths.length ? [`the ${name} on rows of ${list(lengths)}`] : [];
    });
    const ratios = results.map(({ speeds }) => (speeds[2] / speeds[0]).toFixed(1));
    const lengths = results.map(({ n }) => count(n));
    return (
      `In ${format} the fastest is ${wins.join(", ")}. On rows of ${list(lengths)} the library is ` +
      `${list(ratios)} times as fast as the loop. ${fused ? FUSED : EMULATED}`
    );
  }

  function build() {
    const spoken = sentence();
    const results = table(["way", "speed", "numbers per microsecond"], "");
    results.classList.add("race-results");
    const head = results.querySelector("thead");
    let running;

    function show(all) {
      const most = Math.max(...all.flatMap(({ speeds }) => speeds));
      const groups = all.map(({ n, speeds }) => {
        const rows = NAMES.map((name, i) => {
          const bar = tag("span", { class: `explorer-bar ink-${i}` });
          bar.style.setProperty("--share", speeds[i] / most);
          return tag(
            "tr",
            {},
            tag("th", { scope: "row" }, name),
            tag("td", {}, tag("span", { class: "explorer-track", "aria-hidden": "true" }, bar)),
            tag("td", {}, precise(speeds[i], 3)),
          );
        });
        const heading = tag("th", { scope: "rowgroup", colspan: 3 }, `rows of ${count(n)}`);
        return tag("tbody", {}, tag("tr", {}, heading), ...rows);
      });
      results.replaceChildren(head, ...groups);
      results.hidden = !all.length;
    }

    async function run(chosen, { signal }) {
      const all = [];
      show(all);
      for (const n of LENGTHS) {
        spoken.say(`Racing on rows of ${count(n)}.`);
        const speeds = await race(n, chosen, signal);
        if (!speeds) return all;
        all.push({ n, speeds });
        show(all);
      }
      return all;
    }

    async function startOrStop() {
      if (running) return running.abort();
      running = new AbortController();
      control.textContent = "stop";
      const chosen = format.value; // which may be changed while the race is on
      const all = await run(chosen, running);
      const stopped = running.signal.aborted ? "Stopped. " : "";
      running = undefined;
      control.textContent = "race again";
      spoken.say(stopped + (all.length ? verdict(all, chosen, Library.hasFusedMultiplyAdd()) : ""));
    }

    const options = Object.keys(ARRAYS).map((name) => tag("option", { value: name }, name));
    const format = tag("select", {}, ...options);
    const choice = tag("label", { class: "try-choice" }, tag("span", {}, "format"), format);
    const control = button("start the race", startOrStop);
    show([]);
    spoken.say("Three ways to compute softmax are at the start; the race takes some seconds.");
    return {
      title: "Who is faster in your browser?",
      parts: [tag("div", { class: "explorer-buttons" }, choice, control), spoken.element, results],
    };
  }

  define("race", { loop, verdict }, build);
})();
