// Goal: an answer by a version that was not in force at any instant of its request is found, and no other.
// Method: a hand-made history: version 2 asked for at 100 and in force at 110, version 3 at 200 and 210.
import { describe, expect, it } from '@jest/globals';
import type { Call } from './paced-caller.js';
import { outOfRoute } from './swaps.js';

const swaps = [{ version: 2, askedMs: 100, inForceMs: 110 }, { version: 3, askedMs: 200, inForceMs: 210 }];
const call = (sentMs: number, doneMs: number, version: number, status = 200): Call => ({ sentMs, doneMs, status, body: `{"model_name":"trees","model_version":"${version}"}` });

describe('outOfRoute', () => {
  it.each([
    ['the first version, before any swap', call(50, 60, 1)],
    ['the old version, while the new one is being loaded', call(101, 105, 1)],
    ['the new version, while it is being loaded', call(101, 105, 2)],
    ['the old version, sent before the new one was in force', call(109, 130, 1)],
    ['the new version, once in force', call(120, 130, 2)],
    ['a refusal', call(120, 130, 9, 503)],
  ])('has nothing against %s', (_what, good) => expect(outOfRoute([good], swaps)).toBe(0));

  it.each([
    ['the old version, sent after the new one was in force', call(120, 130, 1)],
    ['a version that nobody had asked for yet', call(120, 130, 3)],
    ['an answer without a version', { ...call(120, 130, 2), body: '{}' }],
  ])('finds %s', (_what, bad) => expect(outOfRoute([bad], swaps)).toBe(1));
});
