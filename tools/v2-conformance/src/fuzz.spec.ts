// Goal: nothing that is sent can make the codec do anything but read it or refuse it with a status of 400 to 499.
// Method: bodies by chance from fixed seeds; a body that breaks the rule is named by its seed and number. The nightly run
// does a million (`npm run fuzz`).
import { describe, expect, it } from '@jest/globals';
import { fuzzBodies } from './fuzz-bodies.js';
import { fuzzCodec, type FuzzCounts } from './fuzz-codec.js';

describe('fuzzed bodies', () => {
  it.each([[1, false], [2, false], [3, true], [4, true]])('of seed %d, aimed at models: %s, are read or refused', (seed, aimed) => {
    const counts: FuzzCounts = { accepted: 0, refused: 0 };
    let index = 0;
    for (const body of fuzzBodies(seed, 4_000, aimed)) {
      try {
        fuzzCodec(body, counts);
      } catch (cause) {
        throw new Error(`seed ${seed}, body ${index}`, { cause });
      }
      index += 1;
    }
    expect(counts.accepted + counts.refused).toBe(4_000);
    // Bodies that are all refused, or all read, would try nothing.
    expect(counts.accepted).toBeGreaterThan(200);
    expect(counts.refused).toBeGreaterThan(200);
  });

  it('are the same for the same seed', () => {
    expect([...fuzzBodies(7, 50)]).toEqual([...fuzzBodies(7, 50)]);
    expect([...fuzzBodies(7, 50)]).not.toEqual([...fuzzBodies(8, 50)]);
  });

  it('reach tensors, binary data, and every datatype', () => {
    const texts = [...fuzzBodies(1, 3_000)].map(({ body }) => Buffer.from(body).toString('latin1'));
    for (const part of ['"INT64"', '"BYTES"', '"FP16"', 'binary_data_size', '__proto__', 'NaN', '18446744073709551615', '[[[[']) expect(texts.some((text) => text.includes(part))).toBe(true);
  });
});
