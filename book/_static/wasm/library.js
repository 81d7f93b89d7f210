/* The functions of softmax_lib in the page: its kernels, compiled to WebAssembly.

   `Library.started` is a promise. Once it is kept, everything else is called as any
   function is: with an array of scores and a format, "float16", "float32" or "float64".
   As in the library, float16 is computed in float32 and rounded once at the end. */
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

  /** Return a place in the module's memory for an array of `bytes`, and where it ends. */
  function place(start, bytes) {
    const at = Math.ceil(start / LINE) * LINE;
    const missing = at + bytes - kernels.memory.buffer.byteLength;
    if (missing > 0) kernels.memory.grow(Math.ceil(missing / 65536));
    return [at, at + bytes];
  }

  /** Call a kernel: `count` results from scores in one of the formats that it has. */
  function call(name, format, scores, count, ...lengths) {
    const Numbers = ARRAYS[format];
    const size = Numbers.BYTES_PER_ELEMENT;
    const [from, end] = place(kernels.__heap_base.value, scores.length * size);
    const [to] = place(end, count * size);
    new Numbers(kernels.memory.buffer, from, scores.length).set(scores);
    if (kernels[name](from, to, ...lengths)) throw new Error(`${name} failed`);
    return new Numbers(kernels.memory.buffer, to, count).slice();
  }

  /** Round numbers to a format, ties to the even one. */
  function round(numbers, format) {
    if (format !== "float16") return ARRAYS[format].from(numbers);
    return call("to_float16", "float64", numbers, numbers.length, numbers.length);
  }

  /** Make a function of rows of n scores with one result for each score, or each row. */
  const byRows = (name, reduces = false) => (scores, format, n = scores.length) => {
    if (!scores.length) return round([], format);
    const rows = scores.length / n;
    const count = reduces ? rows : scores.length;
    if (format !== "float16") {
      return call(`${name}_${format}`, format, scores, count, n, rows);
    }
    const wide = call(`${name}_float32`, "float32", round(scores, format), count, n, rows);
    return round(wide, format);
  };

  /** Make a function of one row that rounds every step to the format. */
  const byFormula = (name) => (scores, format) => {
    const [whole, computed] = format === "float16" ? [name + "_float16", "float64"] : [`${name}_${format}`, format];
    if (!scores.length) return round([], format);
    return call(whole, computed, round(scores, format), scores.length, scores.length);
  };

  /** e^x for each number, rounded to the format. */
  function exp(numbers, format) {
    const computed = format === "float16" ? "float64" : format;
    const n = numbers.length;
    return round(call(`exp_${computed}`, computed, round(numbers, format), n, n), format);
  }

  return {
    started: start(),
    softmax: byRows("softmax"),
    log_softmax: byRows("log_softmax"),
    logsumexp: byRows("logsumexp", true),
    sigmoid: byRows("sigmoid"),
    log_sigmoid: byRows("log_sigmoid"),
    naive_softmax: byFormula("naive"),
    shifted_softmax: byFormula("shifted"),
    exp,
    round,
  };
})();
