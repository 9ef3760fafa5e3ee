// Goal: half-precision bits and values convert exactly, with IEEE 754's rounding.
// Method: values of the standard's tables; all 65,536 patterns there and back; the nearest of the neighbours on random numbers.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { fromHalfBits, toHalfBits } from './half-precision.js';

describe('half precision', () => {
  // IEEE 754 binary16, from the standard's tables.
  it.each([
    [0x0000, 0], [0x0001, 2 ** -24], [0x03ff, 1023 * 2 ** -24], [0x0400, 2 ** -14], [0x3555, 0.333251953125],
    [0x3bff, 1 - 2 ** -11], [0x3c00, 1], [0x3c01, 1 + 2 ** -10], [0x7bff, 65_504], [0x7c00, Infinity], [0xc000, -2], [0xfc00, -Infinity],
  ])('%d ↔ %d', (bits, value) => {
    expect(fromHalfBits(bits)).toBe(value);
    expect(toHalfBits(value)).toBe(bits);
  });

  it('gives back all 65,536 bit patterns, NaN as one of them', () => {
    for (let bits = 0; bits < 65_536; bits += 1) {
      const value = fromHalfBits(bits);
      if (Number.isNaN(value)) expect(toHalfBits(value)).toBe(0x7e00);
      else if (toHalfBits(value) !== bits) throw new Error(`${bits} came back as ${toHalfBits(value)}`);
    }
  });

  it('rounds to the nearest, ties to even', () => {
    expect(toHalfBits(1 + 2 ** -11)).toBe(0x3c00);
    expect(toHalfBits(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(toHalfBits(65_519.99)).toBe(0x7bff);
    expect(toHalfBits(65_520)).toBe(0x7c00);
    expect(toHalfBits(2 ** -25)).toBe(0);
    expect(toHalfBits(2 ** -14 - 2 ** -26)).toBe(0x0400);
    fc.assert(fc.property(fc.double({ min: -65_504, max: 65_504, noNaN: true }), (x) => {
      const bits = toHalfBits(x);
      const error = Math.abs(fromHalfBits(bits) - x);
      for (const neighbour of [bits - 1, bits + 1]) expect(Math.abs(fromHalfBits(neighbour & 0xffff) - x) >= error || (neighbour & 0x7c00) === 0x7c00).toBe(true);
    }));
  });
});
