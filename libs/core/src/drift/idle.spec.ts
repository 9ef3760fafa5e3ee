/**
 * Goal: only true silence lets a watermark pass a partition by.
 * Method: a table over the three facts that decide, on both sides of each border.
 */
import { describe, expect, it } from '@jest/globals';
import { isIdle } from './idle.js';

describe('isIdle', () => {
  it.each([
    ['moved within the interval', { silentMs: 1_000, partitionSilentMs: 1_000, unread: 0 }, false],
    ['silent and read to its end', { silentMs: 1_001, partitionSilentMs: 1_001, unread: 0 }, true],
    ['silent, only a transaction marker unread', { silentMs: 1_001, partitionSilentMs: 1_001, unread: 1 }, true],
    ['stalled before unread records', { silentMs: 1_001, partitionSilentMs: 1_001, unread: 2 }, false],
    ['busy with other streams only', { silentMs: 1_001, partitionSilentMs: 0, unread: 500 }, true],
    ['stalled for twenty intervals', { silentMs: 20_000, partitionSilentMs: 20_000, unread: 500 }, false],
    ['stalled for longer', { silentMs: 20_001, partitionSilentMs: 20_001, unread: 500 }, true],
  ])('%s', (_case, silence, expected) => expect(isIdle(silence, 1_000)).toBe(expected));
});
