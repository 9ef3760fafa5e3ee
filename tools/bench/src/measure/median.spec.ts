// Goal: the figures that rounds are folded into. Method: small lists whose answers are known by looking.
import { describe, expect, it } from '@jest/globals';
import { median, ratio } from './median.js';

describe('median', () => {
  it.each<[readonly (number | null)[], number | null]>([
    [[3, 1, 2], 2],
    [[10, 2, 9, 1], 5.5],
    [[100, 9], 54.5],
    [[7], 7],
    [[], null],
    [[null, 4, null, 6, 5], 5],
    [[null], null],
    [[NaN, 8], 8],
  ])('of %j is %j', (values, expected) => expect(median(values)).toBe(expected));
});

describe('ratio', () => {
  it.each([
    [3, 4, 0.75],
    [0, 4, 0],
    [3, 0, null],
    [null, 4, null],
    [3, undefined, null],
  ])('of %j and %j is %j', (value, base, expected) => expect(ratio(value, base)).toBe(expected));
});
