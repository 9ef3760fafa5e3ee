/** IEEE 754 binary16: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits; steps of 2^-24 below 2^-14. */
const largestRounded = 65_520; // from here on values round to infinity
const smallestNormal = 2 ** -14;

const double = new Float64Array(1);
const doubleWords = new Uint32Array(double.buffer); // little-endian: the second word has sign and exponent

/** 2^(exponent - 25) for each of the 31 finite exponents. */
const scales = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (exponent - 25));

/** Nearest integer, ties to the even one. x ≥ 0. */
function roundEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The bits of the half-precision number nearest to x, ties to even; too large becomes infinite. */
export function toHalfBits(x: number): number {
  if (x !== x) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  if (size >= largestRounded) return sign | 0x7c00;
  if (size < smallestNormal) return sign | roundEven(size * 2 ** 24);
  double[0] = size;
  const exponent = ((doubleWords[1] ?? 0) >>> 20) - 1023;
  // A fraction that rounds up to 2,048 carries into the exponent by itself.
  return sign | (((exponent + 15) << 10) + (roundEven(size / (scales[exponent + 15] ?? 1)) - 1024));
}

/** The exact value of half-precision bits. */
export function fromHalfBits(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * (scales[exponent] ?? 0);
}
