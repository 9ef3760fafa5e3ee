// Goal: the event that is put together as text is the event: what a reader parses is what JSON.stringify would have told.
// Method: property test over answers with every kind of output, id and feature; the expected value is built as an object, here.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { matches, predictionServed } from '@millrace/contracts';
import { featureLayoutOf } from '@millrace/core/inference';
import { servedText } from './served-text.js';

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 });
const value = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, 1e21, 5e-324), text, fc.constant(null), fc.boolean());
const output = fc.oneof(
  fc.record({ value: fc.double({ noNaN: true, noDefaultInfinity: true }) }),
  fc.record({ label: fc.boolean(), probability: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ label: text, probabilities: fc.dictionary(text.filter((name) => name !== '__proto__'), fc.double({ min: 0, max: 1, noNaN: true })) }),
);
const names = fc.uniqueArray(text.filter((name) => name !== '__proto__'), { minLength: 0, maxLength: 6 });

describe('servedText', () => {
  it('says what the event says', () => {
    fc.assert(
      fc.property(names, fc.array(value, { minLength: 6, maxLength: 6 }), output, text, fc.option(text, { nil: undefined }), fc.option(fc.constant('2013-01-01T00:00:00Z'), { nil: undefined }), fc.option(text, { nil: undefined }), (featureNames, values, said, id, unit, eventTime, fallback) => {
        const version = { version: 'v"1', layout: featureNames.length === 0 ? null : featureLayoutOf(featureNames.map((name) => ({ name, datatype: 'FP32', shape: [-1, 1] }))) };
        const live = { route: { model: 'late-flights', revision: 7 } };
        const features = Object.fromEntries(featureNames.map((name, index) => [name, values[index]]));
        const servedAt = '2026-01-02T03:04:05.678Z';
        const answer = { id, predictionId: '0f0e0d0c-0000-4000-8000-000000000000', version: version.version, output: said, ...(fallback === undefined ? {} : { fallback }) };
        const instance = { id, features, ...(unit === undefined ? {} : { unit }), ...(eventTime === undefined ? {} : { eventTime }) };
        const made = servedText(live, { arm: 'candidate', version, probability: 0.25 }, instance, answer, servedAt, 1.23456);
        const expected = {
          model: 'late-flights', version: 'v"1', role: 'primary', arm: 'candidate', routeRevision: 7, armProbability: 0.25, recordId: id, predictionId: answer.predictionId, requestId: answer.predictionId,
          unit: unit ?? id, eventTime: eventTime ?? servedAt, output: said, ...(fallback === undefined ? {} : { fallback }), servedAt,
          features: Object.fromEntries(featureNames.map((name, index) => [name, typeof values[index] === 'number' || typeof values[index] === 'string' ? values[index] : null])), latencyMs: 1.235,
        };
        expect(JSON.parse(made.json)).toEqual(JSON.parse(JSON.stringify(expected)));
        expect(matches(predictionServed.schema, JSON.parse(made.json))).toBe(true);
        expect(made).toMatchObject({ recordId: id, predictionId: answer.predictionId, servedAt });
      }),
    );
  });
});
