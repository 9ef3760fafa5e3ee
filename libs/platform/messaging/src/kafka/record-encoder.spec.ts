// Goal: our encoder of records writes what kafkajs writes, byte for byte, whatever the record.
// Method: kafkajs 2.2.4’s own encoder, loaded apart from the patch, over random records; one vector worked out by hand.
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { groupMessagesPerPartition } from './group-messages.js';
import { encodeRecord, type RecordFields } from './record-encoder.js';

const require = createRequire(import.meta.url);
const theirs = require('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (fields: RecordFields) => { buffer: Buffer };

const bytes = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each)));
const record: fc.Arbitrary<RecordFields> = fc.record({
  offsetDelta: fc.integer({ min: 0, max: 100_000 }),
  timestampDelta: fc.integer({ min: 0, max: 2 ** 40 }),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.dictionary(fc.string({ maxLength: 20 }).filter((name) => name !== '__proto__'), fc.oneof(bytes, fc.array(bytes, { maxLength: 3 })), { maxKeys: 8 }),
});

describe('encodeRecord', () => {
  it('writes the bytes of the format', () => {
    // length 17 → 0x22, attributes 0, timestamp 1 → 2, offset 3 → 6, key "k", value null (-1 → 1), one header a=é
    expect([...encodeRecord({ timestampDelta: 1, offsetDelta: 3, key: 'k', value: null, headers: { a: 'é' } }).buffer]).toEqual([24, 0, 2, 6, 2, 107, 1, 2, 2, 97, 4, 0xc3, 0xa9]);
  });

  it('agrees with kafkajs', () => {
    fc.assert(fc.property(record, (fields) => expect(encodeRecord(fields).buffer.equals(theirs(fields).buffer)).toBe(true)), { numRuns: 2_000 });
  });
});

describe('groupMessagesPerPartition', () => {
  it('keeps the order of each partition', () => {
    const messages = Array.from({ length: 10 }, (_, index) => ({ index }));
    const groups = groupMessagesPerPartition({ topic: 't', partitionMetadata: [{}, {}], messages, partitioner: ({ message }) => (message as { index: number }).index % 2 });
    expect(groups).toEqual({ 0: [0, 2, 4, 6, 8].map((index) => ({ index })), 1: [1, 3, 5, 7, 9].map((index) => ({ index })) });
  });
});
