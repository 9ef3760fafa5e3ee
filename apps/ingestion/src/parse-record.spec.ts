/**
 * Goal: what producers send becomes a record with one identity and one UTC time, or a refusal with the right code.
 * Method: hand-made payloads in the three forms (plain, CloudEvents binary and structured, as the CloudEvents Kafka
 * binding shows them) and the ways to get them wrong; calendar facts (2012 was a leap year, 2013 was not); property:
 * any JSON object with key and time is passed through untouched.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MillraceError } from '@millrace/contracts';
import { parseRecord, type ParsedRecord } from './parse-record.js';

const identity = { keyFields: ['id'], eventTimeField: 'at' };
const bytesMax = 1_000;
const at = '2013-01-01T05:15:00Z';
const utc = '2013-01-01T05:15:00.000Z';

function parse(payload: unknown, headers: Record<string, string> = {}, keyFields = identity.keyFields): ParsedRecord {
  const bytes = payload === null || Buffer.isBuffer(payload) ? payload : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return parseRecord(bytes, headers, { ...identity, keyFields }, bytesMax);
}

function codeOf(payload: unknown, headers?: Record<string, string>): string {
  try {
    parse(payload, headers);
    return 'accepted';
  } catch (error) {
    if (error instanceof MillraceError) return error.code;
    throw error;
  }
}

describe('plain JSON', () => {
  it('takes key and time from the fields that the contract names, and leaves the value alone', () => {
    const value = { id: 'UA1545', at, distance: 1400, carrier: null };
    expect(parse(value)).toEqual({ recordId: 'UA1545', eventTime: utc, value });
  });

  it('joins several key fields in the order of the contract', () => {
    expect(parse({ id: 'x', leg: 2, last: false, at }, {}, ['leg', 'id', 'last']).recordId).toBe('2|x|false');
  });

  it('passes any object through untouched', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 }), (more) => {
        const value: unknown = JSON.parse(JSON.stringify({ ...more, id: 'k', at }));
        const bytes = Buffer.from(JSON.stringify(value));
        expect(parseRecord(bytes, {}, identity, 1_000_000).value).toEqual(value);
      }),
    );
  });
});

describe('CloudEvents', () => {
  it('binary mode: the value is the data, ce_id is kept', () => {
    expect(parse({ id: 'a', at }, { ce_id: 'e-1', ce_type: 'flight', ce_source: '/x', ce_specversion: '1.0', 'content-type': 'application/json' })).toEqual({ recordId: 'a', eventTime: utc, value: { id: 'a', at }, eventId: 'e-1' });
  });

  it.each([
    ['data', { data: { id: 'a', at } }],
    ['data_base64', { data_base64: Buffer.from(JSON.stringify({ id: 'a', at })).toString('base64') }],
  ])('structured mode with %s', (_name, part) => {
    const envelope = { specversion: '1.0', id: 'e-2', type: 'flight', source: '/x', ...part };
    expect(parse(envelope, { 'content-type': 'application/cloudevents+json; charset=utf-8' })).toEqual({ recordId: 'a', eventTime: utc, value: { id: 'a', at }, eventId: 'e-2' });
  });

  it.each([
    ['no id', { specversion: '1.0', data: { id: 'a', at } }],
    ['no data', { specversion: '1.0', id: 'e' }],
    ['data that is no object', { specversion: '1.0', id: 'e', data: [1] }],
    ['data_base64 that is no JSON', { specversion: '1.0', id: 'e', data_base64: 'AAAA' }],
  ])('structured mode with %s is refused', (_name, envelope) => {
    expect(codeOf(envelope, { 'content-type': 'application/cloudevents+json' })).toBe('RECORD_UNPARSABLE');
  });
});

describe('event times', () => {
  it.each([
    ['2013-01-01T05:15:00.000Z', '2013-01-01T05:15:00.000Z'],
    ['2013-01-01T00:15:00-05:00', '2013-01-01T05:15:00.000Z'],
    ['2013-01-01T05:15:00.123456Z', '2013-01-01T05:15:00.123Z'],
    ['2012-02-29', '2012-02-29T00:00:00.000Z'],
  ])('%s is %s', (text, expected) => expect(parse({ id: 'a', at: text }).eventTime).toBe(expected));

  it.each([['2013-02-29T00:00:00Z'], ['2013-04-31T00:00:00.000Z'], ['2013-13-01'], ['2013-01-01T05:15:00'], ['2013-01-01T24:00:00Z'], ['yesterday'], [1357017300], [null], [undefined]])('%s is refused', (value) =>
    expect(codeOf({ id: 'a', at: value })).toBe('RECORD_EVENT_TIME_INVALID'),
  );
});

describe('garbage', () => {
  it.each([
    ['cut JSON', '{"id":"a","at":', 'RECORD_UNPARSABLE'],
    ['an empty value', '', 'RECORD_UNPARSABLE'],
    ['a tombstone', null, 'RECORD_UNPARSABLE'],
    ['an array', [{ id: 'a', at }], 'RECORD_UNPARSABLE'],
    ['a number', '7', 'RECORD_UNPARSABLE'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), 'RECORD_UNPARSABLE'],
    ['no key', { at }, 'RECORD_KEY_MISSING'],
    ['a null key', { id: null, at }, 'RECORD_KEY_MISSING'],
    ['an empty key', { id: '', at }, 'RECORD_KEY_MISSING'],
    ['an object as key', { id: {}, at }, 'RECORD_KEY_MISSING'],
    ['a key that PostgreSQL cannot hold', { id: 'a\u0000b', at }, 'RECORD_KEY_MISSING'],
    ['a value beyond the limit', { id: 'a', at, text: 'x'.repeat(bytesMax) }, 'RECORD_TOO_LARGE'],
  ])('%s', (_name, payload, code) => expect(codeOf(payload)).toBe(code));

  it('an integer key that JavaScript cannot tell from its neighbour', () => {
    expect(codeOf('{"id":9007199254740993,"at":"2013-01-01T05:15:00Z"}')).toBe('RECORD_KEY_MISSING');
  });

  it('a long key within the size limit', () => {
    const bytes = Buffer.from(JSON.stringify({ id: 'k'.repeat(1_025), at }));
    expect(() => parseRecord(bytes, {}, identity, 1_000_000)).toThrow('1025 characters');
  });
});
