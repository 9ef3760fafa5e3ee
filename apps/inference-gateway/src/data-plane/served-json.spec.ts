// Goal: the event that is put together as bytes is the event: what a reader parses is what JSON.stringify would have told.
// Method: property tests over answers with every kind of output, id and feature; the expected value is built as an object, here.
//   Elements of FP32 tensors are told in the fewest digits: they are compared as FP32.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matches, predictionServed } from '@millrace/contracts';
import { featureLayoutOf, type ByteWriter, type Tensor } from '@millrace/core/inference';
import { givenFeatures, servedJson } from './served-json.js';

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, 1e21, 5e-324), text, fc.constant(null), fc.boolean());
const output = fc.oneof(
  fc.record({ value: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
  fc.record({ label: fc.boolean(), probability: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ label: text, probabilities: fc.dictionary(text.filter((name) => name !== '__proto__'), fc.double({ min: 0, max: 1, noNaN: true })) }),
);
const names = fc.uniqueArray(text.filter((name) => name !== '__proto__'), { minLength: 0, maxLength: 6 });

const parsed = (json: Uint8Array): unknown => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));

describe('servedJson', () => {
  it('says what the event says', () => {
    fc.assert(
      fc.property(names, fc.array(value, { minLength: 6, maxLength: 6 }), output, text, fc.option(text, { nil: undefined }), fc.option(fc.constant('2013-01-01T00:00:00Z'), { nil: undefined }), fc.option(text, { nil: undefined }), (featureNames, values, said, id, unit, eventTime, fallback) => {
        const version = { version: 'v"1', layout: featureNames.length === 0 ? null : featureLayoutOf(featureNames.map((name) => ({ name, datatype: 'FP32', shape: [-1, 1] }))) };
        const live = { route: { model: 'late-flights', revision: 7 } };
        const features = Object.fromEntries(featureNames.map((name, index) => [name, values[index]]));
        const servedAt = '2026-01-02T03:04:05.678Z';
        const answer = { id, predictionId: '0f0e0d0c-0000-4000-8000-000000000000', output: said, servedAt, latencyMs: 1.23456, ...(fallback === undefined ? {} : { fallback }), ...(unit === undefined ? {} : { unit }), ...(eventTime === undefined ? {} : { eventTime }) };
        const made = parsed(servedJson(live, { arm: 'candidate', version, probability: 0.25 }, answer, givenFeatures(version, { features })));
        const expected = {
          model: 'late-flights', version: 'v"1', role: 'primary', arm: 'candidate', routeRevision: 7, armProbability: 0.25, recordId: id, predictionId: answer.predictionId, requestId: answer.predictionId,
          unit: unit ?? id, eventTime: eventTime ?? servedAt, output: said, ...(fallback === undefined ? {} : { fallback }), servedAt,
          features: Object.fromEntries(featureNames.map((name, index) => [name, typeof values[index] === 'number' || typeof values[index] === 'string' ? values[index] : null])), latencyMs: 1.235,
        };
        expect(made).toEqual(JSON.parse(JSON.stringify(expected)));
        expect(matches(predictionServed.schema, made)).toBe(true);
      }),
    );
  });

  it('says of a row of tensors what its features are', () => {
    const number = fc.oneof(fc.float(), fc.constantFrom(0, -0, 0.1, NaN, Infinity).map(Math.fround));
    fc.assert(
      fc.property(names.filter(({ length }) => length > 0), fc.array(fc.tuple(fc.array(number, { minLength: 6, maxLength: 6 }), fc.array(text, { minLength: 6, maxLength: 6 })), { minLength: 1, maxLength: 4 }), fc.boolean(), (featureNames, rows, wanted) => {
        const asColumns = wanted || featureNames.length === 1; // a tensor of one column is a feature of its own name
        const isText = (place: number): boolean => asColumns && place % 2 === 1;
        const column = (place: number): Tensor =>
          isText(place) ? { datatype: 'BYTES', shape: [rows.length, 1], data: rows.map(([, texts]) => texts[place] ?? '') } : { datatype: 'FP32', shape: [rows.length, 1], data: Float32Array.from(rows, ([numbers]) => numbers[place] ?? 0) };
        const width = featureNames.length;
        const inputs = asColumns ? featureNames.map((name, place) => ({ name, datatype: column(place).datatype, shape: [-1, 1] })) : [{ name: 'x', datatype: 'FP32', shape: [-1, width] }];
        const feeds = asColumns ? Object.fromEntries(featureNames.map((name, place) => [name, column(place)])) : { x: { datatype: 'FP32', shape: [rows.length, width], data: Float32Array.from(rows.flatMap(([numbers]) => numbers.slice(0, width))) } as const };
        const layout = featureLayoutOf(inputs, featureNames);
        if (layout === null) throw new Error('these are rows of features');
        const version = { version: '1', layout };
        const answer = { id: 'r', predictionId: 'p', output: { value: 1 }, servedAt: '2026-01-02T03:04:05.678Z', latencyMs: 0 };
        expect(layout.rowCountOf(feeds)).toBe(rows.length);
        rows.forEach(([numbers, texts], row) => {
          const made = parsed(servedJson({ route: { model: 'm', revision: 1 } }, { arm: 'champion', version, probability: 1 }, answer, (to: ByteWriter) => layout.writeRow(to, feeds, row))) as { features: Record<string, unknown> };
          const told = Object.fromEntries(Object.entries(made.features).map(([name, each]) => [name, typeof each === 'number' ? Math.fround(each) : each]));
          const whole = (each: number | undefined): number | null => (each !== undefined && Number.isFinite(each) ? each + 0 : null);
          expect(told).toEqual(Object.fromEntries(featureNames.map((name, place) => [name, isText(place) ? texts[place] : whole(numbers[place])])));
        });
      }),
    );
  });
});
