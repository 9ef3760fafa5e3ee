/**
 * Goal: a contract’s rules admit and quarantine as written, its own mistakes are all found, a fix mends only what it says.
 * Method: tables of hand-judged records; the flights contract’s three faults of a bad release; property: a fix never
 * touches its input.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MillraceError } from '@millrace/contracts';
import { applyFix, compileContract, parseFix } from './index.js';

const property = (name: string, more: object = {}) => ({ name, logicalType: 'string', ...more });
const contract = (recordProperties: object[], custom: object[] = []) => ({
  apiVersion: 'v3.1.0',
  kind: 'DataContract',
  id: 'flights',
  version: '1.0.0',
  schema: [
    { name: 'record', physicalName: 'flights.departures', customProperties: [{ property: 'eventTime', value: 'at' }, ...custom], properties: [property('id', { primaryKey: true }), property('at', { logicalType: 'timestamp', required: true }), ...recordProperties] },
    { name: 'label', physicalName: 'flights.arrivals', customProperties: [{ property: 'eventTime', value: 'at' }], properties: [property('id', { primaryKey: true }), property('at', { logicalType: 'timestamp', required: true })] },
  ],
});
const base = { id: 'a', at: '2013-01-01T00:00:00Z' };
const rulesOf = (recordProperties: object[], value: unknown, custom: object[] = []): string[] => {
  const judgement = compileContract(contract(recordProperties, custom)).record.judge(value);
  return judgement.admitted ? [] : judgement.violations.map(({ rule, field }) => `${field}:${rule}`);
};

describe('a compiled contract', () => {
  it.each([
    { name: 'all well', properties: [property('hour', { logicalType: 'integer' })], value: { ...base, hour: 7 }, rules: [] },
    { name: 'optional and absent', properties: [property('hour', { logicalType: 'integer' })], value: base, rules: [] },
    { name: 'optional and null', properties: [property('hour', { logicalType: 'integer' })], value: { ...base, hour: null }, rules: [] },
    { name: 'required and null', properties: [property('hour', { logicalType: 'integer', required: true })], value: { ...base, hour: null }, rules: ['hour:required'] },
    { name: 'nullValues mustBe 0 is required', properties: [property('hour', { quality: [{ type: 'library', metric: 'nullValues', mustBe: 0 }] })], value: base, rules: ['hour:required'] },
    { name: 'a fraction is no integer, and no bound is judged then', properties: [property('miles', { logicalType: 'integer', logicalTypeOptions: { maximum: 10 } })], value: { ...base, miles: 1158.7 }, rules: ['miles:logicalType'] },
    { name: 'text is no number', properties: [property('miles', { logicalType: 'number' })], value: { ...base, miles: '12' }, rules: ['miles:logicalType'] },
    { name: 'bounds are inclusive', properties: [property('hour', { logicalType: 'integer', logicalTypeOptions: { minimum: 0, maximum: 23 } })], value: { ...base, hour: 23 }, rules: [] },
    { name: 'one above the maximum', properties: [property('hour', { logicalType: 'integer', logicalTypeOptions: { minimum: 0, maximum: 23 } })], value: { ...base, hour: 24 }, rules: ['hour:maximum'] },
    { name: 'pattern', properties: [property('carrier', { logicalTypeOptions: { pattern: '^[A-Z]{2}$' } })], value: { ...base, carrier: 'united' }, rules: ['carrier:pattern'] },
    { name: 'valid values', properties: [property('origin', { quality: [{ type: 'library', metric: 'invalidValues', arguments: { validValues: ['EWR'] }, mustBe: 0 }] })], value: { ...base, origin: 'SFO' }, rules: ['origin:validValues'] },
    { name: 'a timestamp with a zone', properties: [property('seen', { logicalType: 'timestamp' })], value: { ...base, seen: '2012-02-29T23:59:59.5+01:00' }, rules: [] },
    { name: 'a day that no calendar has', properties: [property('seen', { logicalType: 'timestamp' })], value: { ...base, seen: '2013-02-29T00:00:00Z' }, rules: ['seen:logicalType'] },
    { name: 'what only JavaScript takes for a time', properties: [property('seen', { logicalType: 'timestamp' })], value: { ...base, seen: '7' }, rules: ['seen:logicalType'] },
    { name: 'a date of the 31st of April', properties: [property('day', { logicalType: 'date' })], value: { ...base, day: '2013-04-31' }, rules: ['day:logicalType'] },
    { name: 'a time of day', properties: [property('clock', { logicalType: 'time' })], value: { ...base, clock: '24:00' }, rules: ['clock:logicalType'] },
    { name: 'a timestamp in a format of its own is only asked to be text', properties: [property('seen', { logicalType: 'timestamp', logicalTypeOptions: { format: 'dd.MM.yyyy' } })], value: { ...base, seen: '31.12.2013' }, rules: [] },
    { name: 'a date before its minimum', properties: [property('day', { logicalType: 'date', logicalTypeOptions: { minimum: '2013-01-01' } })], value: { ...base, day: '2012-12-31' }, rules: ['day:minimum'] },
    { name: 'timestamps compare as instants, not as text', properties: [property('seen', { logicalType: 'timestamp', logicalTypeOptions: { maximum: '2013-01-01T00:00:00Z' } })], value: { ...base, seen: '2013-01-01T01:00:00+02:00' }, rules: [] },
    { name: 'a multiple of a decimal step', properties: [property('price', { logicalType: 'number', logicalTypeOptions: { multipleOf: 0.1 } })], value: { ...base, price: 0.3 }, rules: [] },
    { name: 'no multiple of a decimal step', properties: [property('price', { logicalType: 'number', logicalTypeOptions: { multipleOf: 0.1 } })], value: { ...base, price: 0.35 }, rules: ['price:multipleOf'] },
    { name: 'a list too short, with an item twice', properties: [property('tags', { logicalType: 'array', logicalTypeOptions: { minItems: 3, uniqueItems: true } })], value: { ...base, tags: ['a', 'a'] }, rules: ['tags:minItems', 'tags:uniqueItems'] },
    { name: 'invalid values by pattern', properties: [property('code', { quality: [{ type: 'library', metric: 'invalidValues', arguments: { pattern: '^A' }, mustBe: 0 }] })], value: { ...base, code: 'B' }, rules: ['code:pattern'] },
    { name: 'a value that stands for missing', properties: [property('code', { quality: [{ type: 'library', metric: 'missingValues', arguments: { missingValues: ['N/A', null] }, mustBe: 0 }] })], value: { ...base, code: 'N/A' }, rules: ['code:missingValues'] },
    { name: 'null among the missing values', properties: [property('code', { quality: [{ type: 'library', metric: 'missingValues', arguments: { missingValues: ['N/A', null] }, mustBe: 0 }] })], value: { ...base, code: null }, rules: ['code:required'] },
    { name: 'no object', properties: [], value: [1], rules: [':object'] },
    { name: 'an unknown field in an open schema', properties: [], value: { ...base, extra: 1 }, rules: [] },
    { name: 'inherited names are not fields', properties: [property('constructor', { required: true })], value: base, rules: ['constructor:required'] },
  ])('$name', ({ properties, value, rules }) => expect(rulesOf(properties, value)).toEqual(rules));

  it('shows a renamed field as missing and unknown when the schema is closed', () => {
    expect(rulesOf([property('dest', { required: true })], { ...base, destination: 'LAX' }, [{ property: 'closed', value: true }])).toEqual(['dest:required', 'destination:unknown-field']);
  });

  it('names topic, key and event time', () => {
    const { stream, record, label, quarantineShareMax } = compileContract(contract([]));
    expect({ stream, topic: record.topic, key: record.keyFields, time: record.eventTimeField, label: label.topic, quarantineShareMax }).toEqual({ stream: 'flights', topic: 'flights.departures', key: ['id'], time: 'at', label: 'flights.arrivals', quarantineShareMax: 0.2 });
  });

  it('lists all mistakes of a contract with their places', () => {
    const broken = contract([property('hour', { logicalType: 'hours' }), property('hour'), property('x', { logicalTypeOptions: { pattern: '(' , least: 1 } })], [{ property: 'quarantineShareMax', value: 2 }]);
    broken.schema.pop();
    expect.assertions(2);
    try {
      compileContract(broken);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      expect(error.code).toBe('CONTRACT_INVALID');
      expect(error.details.mistakes?.map(({ path }) => path)).toEqual(['/schema/0/properties/2/logicalType', '/schema/0/properties/3/name', '/schema/0/properties/4/logicalTypeOptions/pattern', '/schema/0/properties/4/logicalTypeOptions/least', '/schema', '/schema']);
    }
  });

  it.each<{ name: string; more: object; path: string }>([
    { name: 'a bound on text', more: { logicalType: 'string', logicalTypeOptions: { minimum: 1 } }, path: 'minimum' },
    { name: 'a pattern on numbers', more: { logicalType: 'integer', logicalTypeOptions: { pattern: '^1' } }, path: 'pattern' },
    { name: 'a numeric bound on dates', more: { logicalType: 'date', logicalTypeOptions: { maximum: 5 } }, path: 'maximum' },
    { name: 'a name that objects inherit', more: { logicalType: 'string', logicalTypeOptions: { constructor: 1 } }, path: 'constructor' },
  ])('refuses a rule that could never be judged: $name', ({ more, path }) => expect(() => compileContract(contract([property('x', more)]))).toThrow(`/schema/0/properties/2/logicalTypeOptions/${path}`));

  it('refuses what is no contract at all', () => expect(() => compileContract({ kind: 'Model' })).toThrow(/\/schema/));
});

describe('a fix', () => {
  it.each<{ name: string; fix: object; value: Record<string, unknown>; mended: object }>([
    { name: 'rename', fix: { rename: { from: 'destination', to: 'dest' } }, value: { destination: 'LAX' }, mended: { dest: 'LAX' } },
    { name: 'rename of what is not there', fix: { rename: { from: 'destination', to: 'dest' } }, value: { dest: 'LAX' }, mended: { dest: 'LAX' } },
    { name: 'multiply under a condition that holds', fix: { multiply: { field: 'd', by: 0.5 }, when: { field: 'o', equals: 'JFK' } }, value: { d: 10, o: 'JFK' }, mended: { d: 5, o: 'JFK' } },
    { name: 'multiply under a condition that does not', fix: { multiply: { field: 'd', by: 0.5 }, when: { field: 'o', equals: 'JFK' } }, value: { d: 10, o: 'EWR' }, mended: { d: 10, o: 'EWR' } },
    { name: 'add above a bound', fix: { add: { field: 'hour', by: -24 }, when: { field: 'hour', above: 23 } }, value: { hour: 31 }, mended: { hour: 7 } },
    { name: 'round', fix: { round: { field: 'd' } }, value: { d: 719.9999999 }, mended: { d: 720 } },
    { name: 'set where an inherited name is missing', fix: { set: { field: 'constructor', value: 1 }, when: { field: 'constructor', missing: true } }, value: {}, mended: { constructor: 1 } },
    { name: 'set where missing', fix: { set: { field: 'x', value: null }, when: { field: 'x', missing: true } }, value: {}, mended: { x: null } },
    { name: 'remove', fix: { remove: { field: 'x' } }, value: { x: 1, y: 2 }, mended: { y: 2 } },
    { name: 'text is not multiplied', fix: { multiply: { field: 'd', by: 2 } }, value: { d: '10' }, mended: { d: '10' } },
  ])('$name', ({ fix, value, mended }) => expect(applyFix(parseFix({ operations: [fix] }), value)).toEqual(mended));

  it('leaves its input as it came', () => {
    const fix = parseFix({ operations: [{ rename: { from: 'a', to: 'b' } }, { add: { field: 'b', by: 1 } }, { remove: { field: 'c' } }] });
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.oneof(fc.integer(), fc.string())), (value) => {
        const before = structuredClone(value);
        applyFix(fix, value);
        expect(value).toEqual(before);
      }),
    );
  });

  it('is refused with all its mistakes', () => expect(() => parseFix({ operations: [{ double: { field: 'x' } }] })).toThrow(/FIX_INVALID|mistakes/));
});
