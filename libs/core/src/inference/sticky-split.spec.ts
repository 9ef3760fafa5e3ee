// Goal: the split is uniform, sticky, the same everywhere, grows without moving anyone back, and independent per salt.
// Method: published vectors of MurmurHash3_x86_32 pin the hash; chi-square statistics over fixed sets of units are held
// against quantiles of the chi-square distribution from statistical tables; laws are checked on random shares and ids.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { murmurHash3 } from './murmur-hash.js';
import { planRoute } from './plan-route.js';
import { assignArm, positionOf } from './sticky-split.js';

const split = (share: number) => [{ name: 'candidate', share }, { name: 'champion', share: 1 - share }] as const;
const units = Array.from({ length: 20_000 }, (_, index) => `flight-${index}`);

describe('murmurHash3', () => {
  // Test vectors published on the Wikipedia page MurmurHash.
  it.each([
    ['', 0, 0x00000000],
    ['', 1, 0x514e28b7],
    ['', 0xffffffff, 0x81f16f39],
    ['test', 0, 0xba6bd213],
    ['test', 0x9747b28c, 0x704b81dc],
    ['Hello, world!', 0, 0xc0363e43],
    ['Hello, world!', 0x9747b28c, 0x24884cba],
    ['The quick brown fox jumps over the lazy dog', 0, 0x2e4ff723],
    ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
  ])('%j with seed %d', (text, seed, expected) => {
    expect(murmurHash3(new TextEncoder().encode(text), seed)).toBe(expected);
  });
});

describe('sticky split', () => {
  it('is uniform: 20,000 units in 100 cells', () => {
    for (const salt of ['', 'a', 'rollout-2013-03', 'é漢字']) {
      const cells = new Array<number>(100).fill(0);
      for (const unit of units) {
        const cell = Math.floor(positionOf(salt, unit) * 100);
        cells[cell] = (cells[cell] ?? 0) + 1;
      }
      const chiSquare = cells.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
      expect(chiSquare).toBeLessThan(148.2); // 0.999 quantile, 99 degrees of freedom
      expect(chiSquare).toBeGreaterThan(59.0); // suspiciously even below the 0.0005 quantile
    }
  });

  it('is independent between salts: pairs of salts over 1,000 units give uniform 2 × 2 statistics', () => {
    let above = 0;
    const halves = Array.from({ length: 1_001 }, (_, salt) => units.slice(0, 1_000).map((unit) => (positionOf(`salt-${salt}`, unit) < 0.5 ? 1 : 0)));
    for (let pair = 0; pair < 1_000; pair += 1) {
      const table = [0, 0, 0, 0];
      halves[pair]?.forEach((one, index) => {
        const cell = 2 * one + (halves[pair + 1]?.[index] ?? 0);
        table[cell] = (table[cell] ?? 0) + 1;
      });
      const [a = 0, b = 0, c = 0, d = 0] = table;
      const chiSquare = (1_000 * (a * d - b * c) ** 2) / ((a + b) * (c + d) * (a + c) * (b + d));
      if (chiSquare > 3.841) above += 1; // 0.95 quantile, 1 degree of freedom
    }
    // Binomial(1000, 0.05): mean 50, standard deviation 6.9; four of them either way.
    expect(above).toBeGreaterThan(22);
    expect(above).toBeLessThan(78);
  });

  it('gives the candidate exactly its share of the places, and of a million units as many as chance would', () => {
    // The share is a part of [0, 1): what is given to a unit depends on its place alone, so the part that lies before `share`
    // is the share itself, to the width of one place of the hash, 2^-32.
    const count = 1_000_000;
    const positions = Float64Array.from({ length: count }, (_, unit) => positionOf('exact', `unit-${unit}`)).sort();
    for (const share of [0.0001, 0.001, 0.01, 0.05, 0.25, 0.5, 0.9, 0.9999]) {
      let low = 0;
      for (let high = count; low < high; ) {
        const middle = (low + high) >>> 1;
        if ((positions[middle] ?? 1) < share) low = middle + 1;
        else high = middle;
      }
      // Binomial(10^6, share): four standard deviations; 0.2 % of the units at most.
      expect(Math.abs(low - share * count)).toBeLessThan(4 * Math.sqrt(count * share * (1 - share)));
      for (const unit of [0, 1, 999, 123_456, 999_999]) {
        const position = positionOf('exact', `unit-${unit}`);
        expect(assignArm('exact', `unit-${unit}`, split(share)).arm).toBe(position < share ? 'candidate' : 'champion');
      }
    }
  });

  it('a growing share takes units in, and lets none go: a million units through the steps of a roll-out', () => {
    const shares = [0.01, 0.05, 0.25, 0.5, 1];
    let left = 0;
    const taken = shares.map(() => 0);
    for (let unit = 0; unit < 1_000_000; unit += 1) {
      let isIn = false;
      for (const [step, share] of shares.entries()) {
        const now = assignArm('ladder', `unit-${unit}`, split(share)).arm === 'candidate';
        if (isIn && !now) left += 1;
        if (now) taken[step] = (taken[step] ?? 0) + 1;
        isIn = now;
      }
    }
    expect(left).toBe(0);
    expect(taken.at(-1)).toBe(1_000_000);
    shares.forEach((share, step) => expect(Math.abs((taken[step] ?? 0) - share * 1_000_000)).toBeLessThanOrEqual(4 * Math.sqrt(1_000_000 * share * (1 - share))));
  });

  it('is independent of every other split of the same units: over 1,000 pairs of salts the p-values are uniform', () => {
    // p of the 2 × 2 chi-square with one degree of freedom is erfc(√(χ²/2)); its deciles are those of the distribution’s table.
    const deciles = [0.01579, 0.06418, 0.14847, 0.275, 0.45494, 0.70833, 1.07419, 1.64237, 2.70554];
    const some = units.slice(0, 2_000);
    const cells = new Array<number>(10).fill(0);
    for (let pair = 0; pair < 1_000; pair += 1) {
      const table = [0, 0, 0, 0];
      for (const unit of some) {
        const cell = 2 * (assignArm(`one-${pair}`, unit, split(0.3)).arm === 'candidate' ? 1 : 0) + (assignArm(`two-${pair}`, unit, split(0.5)).arm === 'candidate' ? 1 : 0);
        table[cell] = (table[cell] ?? 0) + 1;
      }
      const [a = 0, b = 0, c = 0, d = 0] = table;
      const chiSquare = (2_000 * (a * d - b * c) ** 2) / ((a + b) * (c + d) * (a + c) * (b + d));
      const cell = deciles.filter((decile) => chiSquare > decile).length;
      cells[cell] = (cells[cell] ?? 0) + 1;
    }
    const statistic = cells.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
    expect(statistic).toBeLessThan(27.88); // 0.999 quantile, 9 degrees of freedom
  });

  it('gives the candidate its share', () => {
    for (const share of [0.01, 0.1, 0.5, 0.9]) {
      const answered = units.filter((unit) => assignArm('s', unit, split(share)).arm === 'candidate').length;
      expect(Math.abs(answered - share * units.length)).toBeLessThan(4 * Math.sqrt(units.length * share * (1 - share)));
    }
  });

  it('gives nobody at share 0, everybody at share 1', () => {
    const given = (share: number): Set<string> => new Set(units.map((unit) => JSON.stringify(assignArm('s', unit, split(share)))));
    expect(given(0)).toEqual(new Set(['{"arm":"champion","probability":1}']));
    expect(given(1)).toEqual(new Set(['{"arm":"candidate","probability":1}']));
  });

  it('always answers the same, and never takes a unit away from a growing candidate', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(fc.property(fc.string(), fc.string({ unit: 'binary' }), share, share, (salt, unit, one, other) => {
      const [small, large] = [Math.min(one, other), Math.max(one, other)];
      const before = assignArm(salt, unit, split(small));
      expect(assignArm(salt, unit, split(small))).toEqual(before);
      if (before.arm === 'candidate') expect(assignArm(salt, unit, split(large)).arm).toBe('candidate');
      expect(before.probability).toBe(before.arm === 'candidate' ? small : 1 - small);
    }), { numRuns: 2_000 });
  });

  it('tells salts and units apart where they join', () => {
    expect(positionOf('ab', 'c')).not.toBe(positionOf('a', 'bc'));
    expect(positionOf('1:', 'x')).not.toBe(positionOf('', '1:x'));
  });

  it('hashes long ids like short ones', () => {
    const long = 'é'.repeat(5_000);
    const bytes = new TextEncoder().encode(`1:s${long}`);
    expect(positionOf('s', long)).toBe(murmurHash3(bytes, 0) / 2 ** 32);
    expect(positionOf('s', 'é')).toBe(murmurHash3(new TextEncoder().encode('1:sé'), 0) / 2 ** 32);
  });

  it('splits among more than two arms by their shares', () => {
    const arms = [{ name: 'a', share: 0.2 }, { name: 'b', share: 0.3 }, { name: 'c', share: 0.5 }];
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (const unit of units) {
      const { arm } = assignArm('three', unit, arms);
      counts[arm] = (counts[arm] ?? 0) + 1;
    }
    const chiSquare = arms.reduce((sum, { name, share }) => sum + ((counts[name] ?? 0) - share * units.length) ** 2 / (share * units.length), 0);
    expect(chiSquare).toBeLessThan(13.82); // 0.999 quantile, 2 degrees of freedom
  });

  it.each([[[]], [[0.5, 0.4]], [[1.5, -0.5]], [[NaN, 1]], [[Infinity, 0]]])('refuses the shares %j', (shares) => {
    expect(() => assignArm('s', 'u', shares.map((share, index) => ({ name: `arm-${index}`, share })))).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });
});

describe('route plan', () => {
  const champion = { version: '1' };
  const route = (share: number, mirror: boolean) => ({ salt: 's', champion, candidate: { version: '2', share, mirror } });

  it('asks the champion alone when there is no candidate', () => {
    expect(planRoute({ salt: 's', champion, candidate: null }, 'u')).toEqual({ arm: 'champion', primary: champion, probability: 1, shadows: [] });
  });

  it('lets a shadow watch everything and answer nothing', () => {
    for (const unit of units.slice(0, 1_000)) {
      expect(planRoute(route(0, true), unit)).toMatchObject({ arm: 'champion', primary: { version: '1' }, probability: 1, shadows: [{ version: '2' }] });
    }
  });

  it('lets a champion that answers nothing any more watch everything, ready to come back', () => {
    for (const unit of units.slice(0, 1_000)) {
      expect(planRoute(route(1, true), unit)).toMatchObject({ arm: 'candidate', primary: { version: '2' }, probability: 1, shadows: [{ version: '1' }] });
      expect(planRoute(route(1, false), unit).shadows).toEqual([]);
    }
  });

  it('splits as assignArm does, and mirrors only what the champion answers', () => {
    for (const unit of units.slice(0, 1_000)) {
      const { arm, probability } = assignArm('s', unit, split(0.3));
      const version = arm === 'candidate' ? '2' : '1';
      expect(planRoute(route(0.3, false), unit)).toMatchObject({ arm, probability, primary: { version }, shadows: [] });
      expect(planRoute(route(0.3, true), unit).shadows.map((shadow) => shadow.version)).toEqual(arm === 'candidate' ? [] : ['2']);
    }
  });
});
