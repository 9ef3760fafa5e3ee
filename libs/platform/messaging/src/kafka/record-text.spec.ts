// Goal: an event that was laid out as text reaches Kafka as the very record that the same event, encoded the usual way, is.
// Method: property test against encodeEvent and encodeRecord, which agrees with kafkajs byte for byte (record-encoder.spec);
//   header order apart, which CloudEvents leaves open: headers are compared as sets, and bodies after reordering.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { predictionServed } from '@millrace/contracts';
import { wrapEvent } from '../envelope.js';
import { encodeRecord } from './record-encoder.js';
import { binaryText, preparedMessages, recordForm, recordText } from './record-text.js';

const source = '/millrace/inference-gateway';
const form = recordForm(predictionServed, source);
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const anyEvent = fc.record({
  key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }),
  id: fc.uuid(),
  time: fc.constant('2026-01-02T03:04:05.678Z'),
  traceparent: fc.option(fc.constant(traceparent), { nil: undefined }),
  data: fc.record({ text: fc.string({ unit: 'grapheme', maxLength: 12_000 }), number: fc.double() }),
});

describe('recordText', () => {
  it('gives the message that wrapEvent gives', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 5 }), (events) => {
        const text = events.map(({ data, ...parts }) => recordText(form, { ...parts, json: binaryText(JSON.stringify(data)) })).join('');
        const read = preparedMessages(Buffer.from(text, 'latin1'));
        const expected = events.map(({ data, key, id, time, traceparent: trace }) => wrapEvent(predictionServed, JSON.stringify(data), { key, id, time, source, traceparent: trace }));
        expect(read.map(({ topic, key, value, headers }) => ({ topic, key, value, headers }))).toEqual(expected);
      }),
    );
  });

  it('lays its bytes out as a record has them', () => {
    fc.assert(
      fc.property(anyEvent, ({ data, ...parts }) => {
        const [message] = preparedMessages(Buffer.from(recordText(form, { ...parts, json: binaryText(JSON.stringify(data)) }), 'latin1'));
        if (message?.prepared === undefined) throw new Error('nothing was read back');
        const place = { offsetDelta: 130, timestampDelta: 0 };
        const { key, value, headers } = message;
        expect(encodeRecord({ ...place, body: message.prepared.body }).buffer).toEqual(encodeRecord({ ...place, key, value, headers }).buffer);
      }),
    );
  });

  it('refuses bytes that end too early', () => {
    const bytes = Buffer.from(recordText(form, { key: 'k', id: 'i', time: 't', traceparent: undefined, json: '{}' }), 'latin1');
    for (let cut = 1; cut < bytes.length; cut += 1) expect(() => preparedMessages(bytes.subarray(0, cut))).toThrow(RangeError);
  });
});
