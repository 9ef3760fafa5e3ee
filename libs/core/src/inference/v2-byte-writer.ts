// Writes JSON text as bytes, numbers included: a string of its own per number, and one more pass to encode them all,
// would cost more than everything else that is done for an answer.

const startBytes = 64 * 1024;
/** What a larger answer needed is given back after it. */
const keptBytesMax = 1024 * 1024;
/** Small messages share a piece of memory: one of its own for each would cost more than writing it. */
const slabBytes = 64 * 1024;
const sharingBytesMax = 4 * 1024;
/** Up to it, a loop is quicker than the call that copies. */
const loopedBytesMax = 24;
/** Room that any number fits in. */
const numberBytesMax = 32;

/** Below it FP32 has fewer digits. */
const smallestNormal32 = 2 ** -126;

const powers = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`)); // exact up to 10^22
const utf8 = new TextEncoder();

/** One growing piece of memory, used again for every message. */
export class ByteWriter {
  private bytes = new Uint8Array(startBytes);
  private slab = new Uint8Array(0);
  private slabUsed = 0;
  length = 0;

  /** What was written, where it was written: good until the next call. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** What was written, in memory that nobody writes to again, with room for `more` bytes after it; the writer is empty then. */
  take(more = 0): Uint8Array {
    const taken = this.room(this.length + more);
    taken.set(this.written);
    this.clear();
    return taken;
  }

  private room(length: number): Uint8Array {
    if (length > sharingBytesMax) return new Uint8Array(length);
    if (this.slabUsed + length > this.slab.length) {
      this.slab = new Uint8Array(slabBytes);
      this.slabUsed = 0;
    }
    const room = this.slab.subarray(this.slabUsed, this.slabUsed + length);
    this.slabUsed += (length + 7) & ~7; // binary elements that follow text are read where they lie
    return room;
  }

  clear(): void {
    this.length = 0;
    if (this.bytes.length > keptBytesMax) this.bytes = new Uint8Array(startBytes);
  }

  /** Bytes of text that lie ready. */
  raw(source: Uint8Array): void {
    this.reserve(source.length);
    const { bytes, length } = this;
    if (source.length > loopedBytesMax) bytes.set(source, length);
    else for (let at = 0; at < source.length; at += 1) bytes[length + at] = source[at] ?? 0;
    this.length = length + source.length;
  }

  /** Text of ASCII characters, as it is. */
  ascii(text: string): void {
    this.reserve(text.length);
    const { bytes } = this;
    let at = this.length;
    for (let i = 0; i < text.length; i += 1) {
      bytes[at] = text.charCodeAt(i);
      at += 1;
    }
    this.length = at;
  }

  /** A JSON string. Half of a surrogate pair is written as its escape. */
  text(text: string): void {
    this.reserve(text.length + 2);
    const { bytes } = this;
    let at = this.length;
    bytes[at] = 0x22;
    at += 1;
    for (let i = 0; i < text.length; i += 1) {
      const code = text.charCodeAt(i);
      if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return this.escaped(text);
      bytes[at] = code;
      at += 1;
    }
    bytes[at] = 0x22;
    this.length = at + 1;
  }

  private escaped(text: string): void {
    const json = JSON.stringify(text);
    this.reserve(json.length * 3);
    this.length += utf8.encodeInto(json, this.bytes.subarray(this.length)).written;
  }

  /** @param value an integer within ±(2^53 - 1) */
  integer(value: number): void {
    this.reserve(numberBytesMax);
    if (value < 0) this.byte(0x2d);
    this.digits(value < 0 ? -value : value, 1);
  }

  /** `value` / 1000. @param value an integer in [0, 2^53) */
  thousandths(value: number): void {
    this.reserve(numberBytesMax);
    const whole = Math.floor(value / 1_000);
    this.digits(whole, 1);
    this.byte(0x2e);
    this.digits(value - whole * 1_000, 3);
  }

  /** The shortest decimal that reads back as the same FP64 value; no number: its text. */
  float64(value: number): void {
    if (value - value !== 0) this.special(value);
    else if (Number.isSafeInteger(value) && !Object.is(value, -0)) this.integer(value);
    else this.ascii(floatText(value));
  }

  /** The shortest decimal that reads back as the same FP32 value: 0.1, not 0.10000000149011612. */
  float32(value: number): void {
    if (value - value !== 0) return this.special(value);
    this.reserve(numberBytesMax);
    if (value === 0 && 1 / value < 0) return this.ascii('-0.0');
    const size = value < 0 ? -value : value;
    if (value < 0) this.byte(0x2d);
    // From 2^24 on every FP32 value is an integer; below 10^-6 there would be more zeros than digits.
    if (size < 16_777_216 && Math.floor(size) === size) this.digits(size, 1);
    else if (size >= 1e-6 && size < 16_777_216) this.decimal(size);
    else this.ascii(shortest32(size));
  }

  /**
   * 6 significant digits, and one more until they read back as the same: if 6 do, none of their decimals but trailing
   * zeros can be spared, because every decimal of 6 digits survives FP32; 9 always do.
   * m / 10^d is the double that a reader of the text gets: both are exact, and a division rounds once.
   */
  private decimal(size: number): void {
    let digits = 5; // after the point
    if (size < 1) for (let bound = 1; size < bound; bound /= 10) digits += 1;
    else for (let bound = 10; size >= bound && digits > 0; bound *= 10) digits -= 1;
    let scaled = 0;
    for (let tries = 0; tries < 5; tries += 1, digits += 1) {
      const power = powers[digits] ?? 1;
      scaled = Math.floor(size * power + 0.5);
      if (Math.fround(scaled / power) !== size) continue;
      while (digits > 0 && scaled % 10 === 0) {
        scaled /= 10;
        digits -= 1;
      }
      const unit = powers[digits] ?? 1;
      const whole = Math.floor(scaled / unit);
      this.digits(whole, 1);
      if (digits === 0) return;
      this.byte(0x2e);
      this.digits(scaled - whole * unit, digits);
      return;
    }
    this.ascii(shortest32(size));
  }

  /** Decimal digits of an integer in [0, 2^53), with zeros in front up to `least`. */
  private digits(value: number, least: number): void {
    if (value >= 1e9) {
      const high = Math.floor(value / 1e9);
      this.digits(high, least - 9);
      this.digits(value - high * 1e9, 9);
      return;
    }
    let rest = value | 0;
    let count = 1;
    for (let bound = 10; count < 9 && rest >= bound; bound *= 10) count += 1;
    if (count < least) count = least;
    const { bytes } = this;
    for (let at = this.length + count - 1; at >= this.length; at -= 1) {
      const next = (rest / 10) | 0;
      bytes[at] = 48 + rest - next * 10;
      rest = next;
    }
    this.length += count;
  }

  private special(value: number): void {
    this.ascii(value !== value ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"');
  }

  private byte(byte: number): void {
    this.bytes[this.length] = byte;
    this.length += 1;
  }

  private reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

/** Marked as a float where it looks like an integer that readers keep as one: they lose the sign of -0, or overflow. */
function floatText(value: number): string {
  if (Object.is(value, -0)) return '-0.0';
  return Number.isSafeInteger(value) || !Number.isInteger(value) || Math.abs(value) >= 1e21 ? String(value) : `${value}.0`;
}

/** As above, for values of any size: zeros at the end go with the conversion. @param size > 0, an FP32 value */
function shortest32(size: number): string {
  for (let digits = size < smallestNormal32 ? 1 : 6; digits < 9; digits += 1) {
    const decimal = Number(size.toPrecision(digits));
    if (Math.fround(decimal) === size) return floatText(decimal);
  }
  return floatText(Number(size.toPrecision(9)));
}
