// Goal: our batches are those of kafkajs, byte for byte, whatever the records, and the checksum is CRC-32C.
// Method: kafkajs 2.2.4’s own encoder, loaded apart from the patch, over random batches; check values of RFC 3720, B.4.
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { crc32c } from './crc32c.js';
import { encodeRecordBatch, type RecordBatchFields } from './record-batch.js';
import { encodeRecord } from './record-encoder.js';

const require = createRequire(import.meta.url);
const { RecordBatch: theirs } = require('kafkajs/src/protocol/recordBatch/v0/index.js') as { RecordBatch: (fields: RecordBatchFields) => Promise<{ buffer: Buffer }> };

const record = fc.record({ key: fc.option(fc.string({ maxLength: 40 })), value: fc.option(fc.string({ unit: 'binary', maxLength: 3_000 })), headers: fc.dictionary(fc.string({ maxLength: 9 }).filter((name) => name !== '__proto__'), fc.string({ maxLength: 40 }), { maxKeys: 4 }) });
const batch = fc.record({
  compression: fc.constantFrom(0, 1), // none and gzip, which kafkajs brings along
  firstTimestamp: fc.integer({ min: 0, max: 2 ** 42 }),
  maxTimestamp: fc.integer({ min: 0, max: 2 ** 42 }),
  transactional: fc.boolean(),
  producerId: fc.integer({ min: -1, max: 2 ** 40 }),
  producerEpoch: fc.integer({ min: 0, max: 32_767 }),
  firstSequence: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  list: fc.array(record, { minLength: 1, maxLength: 40 }),
});

describe('encodeRecordBatch', () => {
  it('agrees with kafkajs', async () => {
    await fc.assert(
      fc.asyncProperty(batch, async ({ list, ...fields }) => {
        const records = list.map((each, offsetDelta) => encodeRecord({ ...each, offsetDelta, timestampDelta: 0 }));
        const all = { ...fields, records, lastOffsetDelta: records.length - 1 };
        const [own, expected] = [await encodeRecordBatch(all), await theirs(all)];
        expect(own.buffer.equals(expected.buffer)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps batches apart that are made at the same time', async () => {
    const batches = await Promise.all(Array.from({ length: 8 }, (_, index) => encodeRecordBatch({ compression: 1, firstTimestamp: 0, maxTimestamp: 0, records: [encodeRecord({ key: 'k', value: String(index).repeat(5_000) })] })));
    const again = await Promise.all(Array.from({ length: 8 }, (_, index) => theirs({ compression: 1, firstTimestamp: 0, maxTimestamp: 0, records: [encodeRecord({ key: 'k', value: String(index).repeat(5_000) })] })));
    expect(batches.map(({ buffer }) => buffer.toString('hex'))).toEqual(again.map(({ buffer }) => buffer.toString('hex')));
  });
});

describe('crc32c', () => {
  it.each([
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, byte) => byte)), 0x46dd794e],
    ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, byte) => 31 - byte)), 0x113fdb5c],
    ['123456789', Buffer.from('123456789'), 0xe3069283],
  ])('of %s', (_, bytes, expected) => expect(crc32c(bytes)).toBe(expected));
});
