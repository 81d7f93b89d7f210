/* Softmax and the exponential in big integers: to 30 digits and more, and how far a
   result is from them in units in the last place.

   A number is { m, e }, which stands for m · 2^e with a BigInt m. Fixed-point numbers
   are BigInts that count 2^-BITS. */
"use strict";

const Exact = (() => {
  const BITS = 256n;
  const ONE = 1n << BITS;
  const LN2 = 18n * inverseTanh(26n) - 2n * inverseTanh(4801n) + 8n * inverseTanh(8749n);
  const DEEPEST = 12000n; // e to minus this is 0 for every format
  const HALVINGS = 8n;
  const FORMATS = {
    float16: { digits: 11, lowest: -14 },
    float32: { digits: 24, lowest: -126 },
    float64: { digits: 53, lowest: -1022 },
  };

  /** artanh(1 / n), fixed-point. */
  function inverseTanh(n) {
    let sum = 0n;
    let power = ONE / n;
    for (let k = 1n; power; k += 2n) {
      sum += power / k;
      power /= n * n;
    }
    return sum;
  }

  /** A finite float64 as { m, e }. */
  function parts(x) {
    const bits = new BigInt64Array(Float64Array.of(x).buffer)[0];
    const exponent = Number((bits >> 52n) & 0x7ffn);
    const fraction = bits & 0xfffffffffffffn;
    const size = exponent ? fraction | (1n << 52n) : fraction;
    return { m: bits < 0n ? -size : size, e: Math.max(exponent, 1) - 1075 };
  }

  const shift = (m, by) => (by >= 0 ? m << BigInt(by) : m >> BigInt(-by));
  const fixed = ({ m, e }) => shift(m, e + Number(BITS));
  const floorDivide = (a, b) => a / b - (a % b < 0n ? 1n : 0n);

  /** e to a fixed-point number. */
  function power(t) {
    if (t < -DEEPEST * ONE) return { m: 0n, e: 0 };
    const n = floorDivide(t + LN2 / 2n, LN2);
    const r = (t - n * LN2) >> HALVINGS;
    let sum = ONE;
    let term = ONE;
    for (let k = 1n; term && term !== -1n; k += 1n) {
      term = ((term * r) >> BITS) / k;
      sum += term;
    }
    for (let k = 0n; k < HALVINGS; k += 1n) sum = (sum * sum) >> BITS;
    return { m: sum, e: Number(n) - Number(BITS) };
  }

  /** e to a finite number. */
  const exp = (x) => power(fixed(parts(x)));

  /** The shares of scores; null where they are undefined. */
  function softmax(scores) {
    const top = scores.reduce((a, b) => (a > b || Number.isNaN(a) ? a : b));
    if (!Number.isFinite(top) || scores.some(Number.isNaN)) return scores.map(() => null);
    const highest = fixed(parts(top));
    const terms = scores.map((s) =>
      s === -Infinity ? { m: 0n, e: 0 } : power(fixed(parts(s)) - highest),
    );
    const total = terms.reduce((sum, term) => sum + fixed(term), 0n);
    return terms.map(({ m, e }) => ({ m: (m << BITS) / total, e }));
  }

  /** The mean of values, none below 0, with the shares of scores as weights. */
  function mixture(scores, values) {
    const shares = softmax(scores).map(fixed);
    const m = shares.reduce((sum, share, i) => sum + ((share * fixed(parts(values[i]))) >> BITS), 0n);
    return { m, e: -Number(BITS) };
  }

  /** Write a number that is not negative with so many significant digits. */
  function digits({ m, e }, count = 30) {
    if (!m) return "0";
    const size = m.toString(2).length + e; // the number lies below 2^size
    let power = Math.floor((size - 1) * Math.LOG10E * Math.LN2);
    let written = "";
    for (let tries = 0; written.length !== count; tries += 1) {
      // A first guess of the power of ten may be one too low.
      if (tries) power += written.length - count;
      const decimals = count - 1 - power;
      const scaled = decimals >= 0 ? m * 10n ** BigInt(decimals) : m / 10n ** BigInt(-decimals);
      written = ((shift(scaled, e + 1) + 1n) >> 1n).toString();
    }
    if (power >= 0 && power < count) {
      return `${written.slice(0, power + 1)}.${written.slice(power + 1)}`;
    }
    if (power < 0 && power > -5) return `0.${"0".repeat(-power - 1)}${written}`;
    return `${written[0]}.${written.slice(1)}e${power}`;
  }

  /** How far a result is from a number, in units in the last place of the number. */
  function ulps(result, { m, e }, format) {
    const { digits: count, lowest } = FORMATS[format];
    const size = m ? Math.max(m.toString(2).length - 1 + e, lowest) : lowest;
    const unit = size - count + 1;
    const given = parts(result);
    const least = Math.min(given.e, e);
    const off = shift(given.m, given.e - least) - shift(m, e - least);
    // In 2^-20 of a unit, which a float64 holds.
    return Number(shift(off < 0n ? -off : off, least - unit + 20)) / 2 ** 20;
  }

  /** Write a float64 as Python's float.hex does. */
  function hex(x) {
    if (!Number.isFinite(x)) return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
    const sign = x < 0 || Object.is(x, -0) ? "-" : "";
    if (x === 0) return `${sign}0x0.0p+0`;
    const { m, e } = parts(Math.abs(x));
    const normal = m >> 52n;
    const fraction = (m & 0xfffffffffffffn).toString(16).padStart(13, "0");
    const power = e + 52;
    return `${sign}0x${normal}.${fraction}p${power < 0 ? "" : "+"}${power}`;
  }

  return { digits, exp, hex, mixture, softmax, ulps };
})();
