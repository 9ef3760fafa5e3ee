/*
 * Goal: a process that keeps exiting is started again ever more slowly, but never more slowly than the longest pause.
 * Method: the doubling sequence by hand.
 */
import { describe, expect, it } from '@jest/globals';
import { defaultBackOff, pauseBeforeMs } from './back-off.js';

describe('back-off', () => {
  it('doubles from 200 ms up to 5 s', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 1_000].map((restart) => pauseBeforeMs(restart, defaultBackOff))).toEqual([200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
  });
});
