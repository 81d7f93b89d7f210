/* The functions of softmax_lib in the page: its kernels, compiled to WebAssembly.

   `Library.started` is a promise. Once it is kept, everything else is called as any
   function is, with scores and a format: "float16", "float32" or "float64". As in the
   library, float16 is computed in float32 and rounded once at the end. */
"use strict";

const Library = (() => {
  const ARRAYS = { float32: Float32Array, float64: Float64Array };
  const LINE = 64; // bytes; arrays begin at a multiple of it
  let kernels; // what the module exports

  async function start() {
    const packed = Uint8Array.from(atob(LibraryModule.bytes), (c) => c.charCodeAt(0));
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const bytes = await new Response(unpacked).arrayBuffer();
    kernels = (await WebAssembly.instantiate(bytes)).instance.exports;
  }

  /** Start, and keep the article hidden meanwhile: what explorers fill then would move
      what stands below them. */
  async function startUnseen() {
    const { classList } = document.documentElement;
    classList.add("library-starts");
    await start().finally(() => classList.remove("library-starts"));
  }

  /** Find room in the module's memory for so many bytes: where it begins and ends. */
  function room(from, bytes) {
    const start = Math.ceil(from / LINE) * LINE;
    const missing = start + bytes - kernels.memory.buffer.byteLength;
    if (missing > 0) kernels.memory.grow(Math.ceil(missing / 65536));
    return [start, start + bytes];
  }

  /** Call a kernel that writes `count` results, in the format that it computes in. */
  function call(name, format, scores, count, ...lengths) {
    const Numbers = ARRAYS[format];
    const size = Numbers.BYTES_PER_ELEMENT;
    const [x, end] = room(kernels.__heap_base.value, scores.length * size);
    const [out] = room(end, count * size);
    new Numbers(kernels.memory.buffer, x, scores.length).set(scores);
    if (kernels[name](x, out, ...lengths)) throw new Error(`${name} failed`);
    return new Numbers(kernels.memory.buffer, out, count).slice();
  }

  /** Round numbers to a format, ties to the even one. */
  function round(numbers, format) {
    if (format !== "float16") return ARRAYS[format].from(numbers);
    return call("to_float16", "float64", numbers, numbers.length, numbers.length);
  }

  /** Return a function of rows of n scores: a result for each score, or each row. */
  const byRows = (name, reduces = false) => (scores, format, n = scores.length) => {
    if (!scores.length) return round([], format);
    if (format === "float16") return round(byRows(name, reduces)(round(scores, format), "float32", n), format);
    const rows = scores.length / n;
    return call(`${name}_${format}`, format, scores, reduces ? rows : scores.length, n, rows);
  };

  /** Return a function of one row that rounds every step to the format. */
  const byFormula = (name) => (scores, format) => {
    if (!scores.length) return round([], format);
    const n = scores.length;
    if (format !== "float16") return call(`${name}_${format}`, format, scores, n, n);
    return call(`${name}_${format}`, "float64", round(scores, format), n, n);
  };

  /** Return e^x for each number. */
  function exp(numbers, format) {
    const computed = format === "float16" ? "float64" : format;
    const n = numbers.length;
    return round(call(`exp_${computed}`, computed, round(numbers, format), n, n), format);
  }

  const STEPS = ["n", "high", "r", "g", "rounded", "power", "part", "fraction", "term"];

  /** Return the steps by which the kernels compute e^x in float32. */
  function term_steps(x) {
    const values = call("term_steps", "float32", [x], STEPS.length, 1);
    return Object.fromEntries(STEPS.map((name, i) => [name, values[i]]));
  }

  /** Merge parts of attention, in float32: each a maximum, a sum and a mix of values. */
  function merge_parts(parts) {
    const numbers = parts.flatMap(({ maximum, sum, mix }) => [maximum, sum, mix]);
    const [maximum, sum, mix, answer] = call("merge_parts", "float32", numbers, 4, parts.length);
    return { maximum, sum, mix, answer };
  }

  return {
    started: startUnseen(),
    softmax: byRows("softmax"),
    log_softmax: byRows("log_softmax"),
    logsumexp: byRows("logsumexp", true),
    sigmoid: byRows("sigmoid"),
    log_sigmoid: byRows("log_sigmoid"),
    naive_softmax: byFormula("naive"),
    shifted_softmax: byFormula("shifted"),
    exp,
    merge_parts,
    term_steps,
    round,
  };
})();
