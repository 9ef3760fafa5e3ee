/**
 * Goal: corrections reject what their papers say and keep the rates they promise.
 * Method: worked examples by hand, LORD++ levels straight from the formula in Python (fixtures/two-samples.py), and seeded
 * simulations of the false discovery rate.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import { eBenjaminiHochberg, judgeNext, nextLevel, spendingShare, startOnlineFdr } from '../index.js';

const { lord } = JSON.parse(readFileSync(new URL('../../../fixtures/two-samples.json', import.meta.url), 'utf8')) as { lord: { alpha: number; w0: number; p: number[]; levels: number[]; found: number[] }[] };

describe('e-BH', () => {
  // K = 4, α = 0.1: k·e₍ₖ₎ must reach 40. 30, 2·25 = 50, 3·10 = 30, 4·1 = 4: two are rejected.
  it('rejects up to the last that is large enough, not the first that is not', () => expect(eBenjaminiHochberg([10, 25, 1, 30], 0.1)).toEqual([false, true, false, true]));
  it('rejects a single e-value from 1/α on', () => {
    expect(eBenjaminiHochberg([20], 0.05)).toEqual([true]);
    expect(eBenjaminiHochberg([19.9], 0.05)).toEqual([false]);
  });
  it('rejects nothing of nothing', () => expect(eBenjaminiHochberg([], 0.05)).toEqual([]));
});

describe('LORD++', () => {
  it.each(lord)('levels at α $alpha, W₀ $w0', ({ alpha, w0, p, levels, found }) => {
    let state = startOnlineFdr(alpha, w0);
    p.forEach((value, index) => {
      expect(nextLevel(state)).toBeCloseTo(levels[index] ?? NaN, 14);
      state = judgeNext(state, value).state;
    });
    expect(state.discoveries).toEqual(found);
  });
  it('never spends more than there is', () => {
    let sum = 0;
    for (let t = 1; t <= 1_000_000; t += 1) sum += spendingShare(t);
    expect(sum).toBeLessThan(1);
  });
  it('keeps the false discovery rate', () => {
    const chance = seeded(5);
    let rate = 0;
    for (let run = 0; run < 300; run += 1) {
      let [state, wrong] = [startOnlineFdr(0.1), 0];
      for (let t = 0; t < 200; t += 1) {
        const isNull = chance() < 0.8;
        const judged = judgeNext(state, isNull ? chance() : chance() * 1e-4);
        if (judged.rejected && isNull) wrong += 1;
        state = judged.state;
      }
      rate += wrong / Math.max(1, state.discoveries.length) / 300;
    }
    expect(rate).toBeLessThan(0.1);
  });
  it('refuses budgets that are none', () => expect(() => startOnlineFdr(0.05, 0.05)).toThrow(RangeError));
});
