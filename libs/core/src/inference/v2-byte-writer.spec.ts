// Goal: numbers and texts become the JSON that reads back as exactly the same value, and no longer than need be.
// Method: JSON.parse is the judge of what is read back; the shortest length comes from trying every precision with
// Number.prototype.toPrecision; known decimals from the decimal literals themselves.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { ByteWriter } from './v2-byte-writer.js';

const writer = new ByteWriter();
const written = (write: (to: ByteWriter) => void): string => {
  write(writer);
  return new TextDecoder().decode(writer.take());
};
const float32 = (value: number): string => written((to) => to.float32(value));

/** Significant digits of a decimal, zeros in front and at the end not counted. */
const digitsIn = (text: string): number => text.replace(/e.*/u, '').replace(/\.0$/u, '').replace(/[-.]/gu, '').replace(/^0+/u, '').replace(/0+$/u, '').length;

function fewestDigits(value: number): number {
  for (let digits = 1; digits <= 9; digits += 1) if (Math.fround(Number(value.toPrecision(digits))) === value) return digitsIn(value.toPrecision(digits));
  return 10;
}

const floatOfBits = (bits: number): number => new Float32Array(Uint32Array.of(bits).buffer)[0] ?? NaN;

describe('FP32', () => {
  it.each(['0', '-0.0', '1', '-1', '0.1', '-0.1', '0.3', '1.5', '3.14159', '0.000001', '123456.7', '16777215', '16777216', '1e-7', '3.4028235e+38', '-100000000000000000000.0', '1e+21', '1e-45', '1.1754944e-38', '0.99999994', '8388607.5'])('%s is written as it is', (text) => {
    expect(float32(Math.fround(Number(text)))).toBe(text);
  });

  it('any value reads back as the same, in the fewest digits', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 0xffffffff }).map(floatOfBits).filter(Number.isFinite), (value) => {
      const text = float32(value);
      const back: unknown = JSON.parse(text);
      expect(Object.is(Math.fround(Number(back)), value)).toBe(true);
      if (value !== 0) expect(digitsIn(text)).toBeLessThanOrEqual(fewestDigits(value));
    }), { numRuns: 20_000 });
  });

  it('probabilities and other values around 1 too', () => {
    fc.assert(fc.property(fc.double({ min: -1_000, max: 1_000, noNaN: true }).map(Math.fround), (value) => {
      const text = float32(value);
      expect(Object.is(Math.fround(Number(JSON.parse(text))), value)).toBe(true);
      if (value !== 0) expect(digitsIn(text)).toBeLessThanOrEqual(fewestDigits(value));
    }), { numRuns: 20_000 });
  });

  it.each([[NaN, '"NaN"'], [Infinity, '"Infinity"'], [-Infinity, '"-Infinity"']])('%d is the text %s', (value, text) => {
    expect(float32(value)).toBe(text);
    expect(written((to) => to.float64(value))).toBe(text);
  });
});

describe('FP64 and integers', () => {
  it('any double reads back as the same', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(Object.is(JSON.parse(written((to) => to.float64(value))), value)).toBe(true);
    }), { numRuns: 5_000 });
  });

  it.each([[-0, '-0.0'], [2 ** 53, '9007199254740992.0'], [1e21, '1e+21'], [-7, '-7']])('%d is %s, so that no reader takes it for an integer that it cannot keep', (value, text) => {
    expect(written((to) => to.float64(value))).toBe(text);
  });

  it('any safe integer is its decimal digits', () => {
    for (const value of [0, 9, 10, 999_999_999, 1_000_000_000, 1_000_000_007, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]) expect(written((to) => to.integer(value))).toBe(String(value));
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => {
      expect(written((to) => to.integer(value))).toBe(String(value));
    }), { numRuns: 5_000 });
  });
});

describe('texts', () => {
  it('any text, half of a surrogate pair included, reads back as the same', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(JSON.parse(written((to) => to.text(text)))).toBe(text);
    }), { numRuns: 5_000 });
  });

  it('may be longer than the memory at hand', () => {
    const long = 'ä"'.repeat(200_000);
    expect(JSON.parse(written((to) => to.text(long)))).toBe(long);
    expect(written((to) => { to.ascii('x'.repeat(300_000)); to.integer(7); })).toBe(`${'x'.repeat(300_000)}7`);
  });
});
