// Goal: an event that was laid out as bytes reaches Kafka as the very record that the same event, encoded the usual way, is.
// Method: property test against encodeEvent and encodeRecord, which agrees with kafkajs byte for byte (record-encoder.spec);
//   header order apart, which CloudEvents leaves open: headers are compared as sets, and bodies after reordering.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { predictionServed } from '@millrace/contracts';
import { wrapEvent } from '../envelope.js';
import { encodeRecord } from './record-encoder.js';
import { preparedMessages, RecordBytes, recordForm, type RecordParts } from './record-bytes.js';

const source = '/millrace/inference-gateway';
const form = recordForm(predictionServed, source);
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

/** One after the other. */
function laidOut(events: readonly (Omit<RecordParts, 'json'> & { readonly data: unknown })[]): Buffer {
  const bytes = new RecordBytes();
  for (const { data, ...parts } of events) bytes.add(form, { ...parts, json: Buffer.from(JSON.stringify(data)) });
  return bytes.view(0, bytes.length);
}

const anyEvent = fc.record({
  key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  id: fc.uuid(),
  time: fc.constant('2026-01-02T03:04:05.678Z'),
  traceparent: fc.option(fc.constant(traceparent), { nil: undefined }),
  data: fc.record({ text: fc.string({ unit: 'grapheme', maxLength: 12_000 }), number: fc.double() }),
});

describe('RecordBytes', () => {
  it('gives the message that wrapEvent gives', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 5 }), (events) => {
        const read = preparedMessages(laidOut(events));
        const expected = events.map(({ data, key, id, time, traceparent: trace }) => wrapEvent(predictionServed, JSON.stringify(data), { key, id, time, source, traceparent: trace }));
        expect(read.map(({ topic, key, value, headers }) => ({ topic, key, value, headers }))).toEqual(expected);
      }),
    );
  });

  it('lays its bytes out as a record has them', () => {
    fc.assert(
      fc.property(anyEvent, (event) => {
        const [message] = preparedMessages(laidOut([event]));
        if (message?.prepared === undefined) throw new Error('nothing was read back');
        const place = { offsetDelta: 130, timestampDelta: 0 };
        const { key, value, headers } = message;
        expect(encodeRecord({ ...place, body: message.prepared.body }).buffer).toEqual(encodeRecord({ ...place, key, value, headers }).buffer);
      }),
    );
  });

  it('refuses bytes that end too early', () => {
    const bytes = laidOut([{ key: 'k', id: 'i', time: 't', traceparent: undefined, data: {} }]);
    for (let cut = 1; cut < bytes.length; cut += 1) expect(() => preparedMessages(bytes.subarray(0, cut))).toThrow(RangeError);
  });

  it('forgets what is cut off, and uses its memory again', () => {
    const bytes = new RecordBytes();
    const add = (key: string, json: string): void => bytes.add(form, { key, id: 'i', time: 't', traceparent: undefined, json: Buffer.from(json) });
    add('first', '{}');
    const kept = bytes.length;
    add('second', `"${'x'.repeat(3_000_000)}"`);
    bytes.cut(kept);
    add('third', '{}');
    expect(preparedMessages(bytes.view(0, bytes.length)).map(({ key }) => key)).toEqual(['first', 'third']);
    bytes.cut(0);
    add('fourth', '{}');
    expect(preparedMessages(bytes.view(0, bytes.length)).map(({ key }) => key)).toEqual(['fourth']);
  });
});
