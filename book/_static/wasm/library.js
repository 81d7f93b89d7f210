/* The functions of softmax_lib in the page: its kernels, compiled to WebAssembly.

   `Library.started` is a promise. Once it is kept, everything else is called as any
   function is, with scores and a format: "float16", "float32" or "float64". As in the
   library, float16 is computed in float32 and rounded once at the end. */
"use strict";

const Library = (() => {
  const ARRAYS = { float32: Float32Array, float64: Float64Array };
  const LINE = 64; // bytes; arrays begin at a multiple of it
  let kernels; // what the module exports
  let fused = false; // whether a * b + c is one instruction

  async function start() {
    const packed = Uint8Array.from(atob(LibraryModule.bytes), (c) => c.charCodeAt(0));
    const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    const bytes = await new Response(unpacked).arrayBuffer();
    const relaxed = await secondForm(bytes);
    if (WebAssembly.validate(relaxed)) {
      await use(relaxed);
      fused = roundsOnce();
    }
    if (!fused) await use(bytes);
  }

  async function use(bytes) {
    kernels = (await WebAssembly.instantiate(bytes)).instance.exports;
  }

  /** Put the instruction of relaxed SIMD in the place of what computes a * b + c. */
  function secondForm(bytes) {
    const parts = [];
    let done = 0;
    for (const edit of LibraryModule.relaxed) {
      const [start, end, code] = edit.split(" ");
      const replacement = code.match(/../g).map((byte) => parseInt(byte, 16));
      parts.push(bytes.slice(done, start), Uint8Array.from(replacement));
      done = end;
    }
    return new Blob([...parts, bytes.slice(done)]).arrayBuffer();
  }

  /** Return a * b + c for each triple of numbers, rounded once. Four at a time. */
  function fma(triples, format) {
    const columns = [0, 1, 2].flatMap((k) => triples.map((triple) => triple[k]));
    return call(`fma_${format}`, format, columns, triples.length, triples.length);
  }

  /** Whether that holds for this form: on triples where rounding the product first gives
      another result. */
  function roundsOnce() {
    const formats = { float32: [24, -149], float64: [53, -1074] };
    return Object.entries(formats).every(([format, [digits, lowest]]) => {
      const triples = [];
      const right = [];
      const add = (a, b, c, result) => {
        triples.push([a, b, c], [-a, b, -c], [a, -b, -c], [-a, -b, c]);
        right.push(result, -result, -result, result);
      };
      const half = Math.floor(digits / 2);
      // (1 + u)^2 - (1 + 2u) is u^2, from the smallest number on.
      for (let k = digits - half; k < digits; k++) {
        const u = 2 ** -k;
        for (const e of [lowest + 2 * k, 0, -lowest - 60]) {
          add(2 ** e * (1 + u), 1 + u, -(2 ** e) * (1 + 2 * u), 2 ** (e - 2 * k));
        }
      }
      // Products in the middle of two numbers, where what is added decides.
      const [u, v, tiny] = [2 ** -half, 2 ** (half - digits), 2 ** lowest];
      add(1 + u, 1 + v, tiny, 1 + u + v + 2 ** (1 - digits));
      add(1 + u, 1 + v, -tiny, 1 + u + v);
      add(tiny, 0.5, tiny, 2 * tiny);
      const found = fma(triples, format);
      return right.every((result, i) => result === found[i]);
    });
  }

  /** Start, and keep the article hidden meanwhile: what explorers fill then would move
      what stands below them. */
  async function startUnseen() {
    const { classList } = document.documentElement;
    classList.add("module-starts");
    await start().finally(() => classList.remove("module-starts"));
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
    fma,
    round,
    hasFusedMultiplyAdd: () => fused,
  };
})();
