// Goal: an instance reaches the model exactly as it was sent, or is refused with the reason and the feature's name.
// Method: a table of good and bad values; the code of each comes from the error catalogue's wording.
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { featuresOf, judgeFeatures, toFeatureRows, toFeeds, type Feature } from './index.js';

const features: readonly Feature[] = [
  { name: 'distance', type: 'number' },
  { name: 'carrier', type: 'category' },
  { name: 'hour', type: 'number', nullable: false },
];
const good = { distance: 1_400, carrier: 'UA', hour: 5 };

describe('judging an instance', () => {
  it('finds nothing wrong with a good one, nor with a null where one may be', () => {
    expect(judgeFeatures(features, good)).toEqual([]);
    expect(judgeFeatures(features, { ...good, distance: null, carrier: null })).toEqual([]);
    expect(judgeFeatures(features, { ...good, distance: -0, carrier: '' })).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string, string]>([
    ['an absent feature', { carrier: 'UA', hour: 5 }, 'FEATURE_MISSING', '/distance'],
    ['an undefined feature', { ...good, distance: undefined }, 'FEATURE_MISSING', '/distance'],
    ['an unknown feature', { ...good, 'a/b~c': 1 }, 'FEATURE_UNKNOWN', '/a~1b~0c'],
    ['an inherited name as unknown', { ...good, constructor: 1 }, 'FEATURE_UNKNOWN', '/constructor'],
    ['a text for a number', { ...good, distance: '1400' }, 'FEATURE_TYPE', '/distance'],
    ['a truth value for a number', { ...good, distance: true }, 'FEATURE_TYPE', '/distance'],
    ['a list for a number', { ...good, distance: [1] }, 'FEATURE_TYPE', '/distance'],
    ['a number for a category', { ...good, carrier: 7 }, 'FEATURE_TYPE', '/carrier'],
    ['an object for a category', { ...good, carrier: {} }, 'FEATURE_TYPE', '/carrier'],
    ['a category with a NUL', { ...good, carrier: 'U\0A' }, 'FEATURE_TYPE', '/carrier'],
    ['a category with half a character', { ...good, carrier: '\udc00' }, 'FEATURE_TYPE', '/carrier'],
    ['a null that may not be', { ...good, hour: null }, 'FEATURE_TYPE', '/hour'],
    ['NaN', { ...good, distance: NaN }, 'FEATURE_NOT_FINITE', '/distance'],
    ['infinity', { ...good, distance: -Infinity }, 'FEATURE_NOT_FINITE', '/distance'],
    ['a number that is infinite in 32 bits', { ...good, distance: 1e39 }, 'FEATURE_NOT_FINITE', '/distance'],
    ...['NaN', 'nan', 'Infinity', '-Infinity', '+inf', 'INF'].map((text): [string, Record<string, unknown>, string, string] => [`the text ${text}`, { ...good, hour: text }, 'FEATURE_NOT_FINITE', '/hour']),
  ])('refuses %s', (_case, values, code, path) => {
    expect(judgeFeatures(features, values)).toEqual([{ code, path, message: expect.any(String) }]);
  });

  it('names every mistake at once', () => {
    expect(judgeFeatures(features, { carrier: 1, hour: 'NaN', tail: 'N1' }).map(({ code }) => code)).toEqual(['FEATURE_MISSING', 'FEATURE_TYPE', 'FEATURE_NOT_FINITE', 'FEATURE_UNKNOWN']);
  });

  it('allows what another version is known to have, and leaves it out', () => {
    const values = { ...good, humidity: 3 };
    expect(judgeFeatures(features, values, (name) => name === 'humidity')).toEqual([]);
    expect(Object.keys(toFeeds(features, [values]))).toEqual(['distance', 'carrier', 'hour']);
  });
});

describe('columns', () => {
  it('hold values in row order, NaN and the empty text for null', () => {
    expect(toFeeds(features, [good, { distance: null, carrier: null, hour: 0.1 }])).toEqual({
      distance: { datatype: 'FP32', shape: [2, 1], data: Float32Array.of(1_400, NaN) },
      carrier: { datatype: 'BYTES', shape: [2, 1], data: ['UA', ''] },
      hour: { datatype: 'FP32', shape: [2, 1], data: Float32Array.of(5, Math.fround(0.1)) },
    });
  });

  it('are empty for no instances', () => {
    expect(toFeeds(features, [])['carrier']).toEqual({ datatype: 'BYTES', shape: [0, 1], data: [] });
  });

  it('leave out refused instances only, for any mix of good and bad', () => {
    const instance = fc.record({ id: fc.string(), bad: fc.boolean(), distance: fc.option(fc.integer()) });
    fc.assert(fc.property(fc.array(instance), (mix) => {
      const rows = toFeatureRows(features, mix.map(({ id, bad, distance }) => ({ id, features: { ...good, distance, ...(bad ? { hour: 'x' } : {}) } })));
      const expected = mix.flatMap(({ bad }, index) => (bad ? [] : [index]));
      expect(rows.accepted).toEqual(expected);
      expect(rows.refused.map(({ index }) => index)).toEqual(mix.flatMap(({ bad }, index) => (bad ? [index] : [])));
      expect([...(rows.feeds['distance']?.data ?? [])]).toEqual(expected.map((index) => Math.fround(mix[index]?.distance ?? NaN)));
    }));
  });
});

describe('features of a signature', () => {
  it('are its columns', () => {
    const inputs = [{ name: 'distance', datatype: 'FP32', shape: [-1, 1] }, { name: 'carrier', datatype: 'BYTES', shape: [-1, 1] }];
    expect(featuresOf(inputs)).toEqual([{ name: 'distance', type: 'number' }, { name: 'carrier', type: 'category' }]);
  });

  it.each([{ datatype: 'FP32', shape: [-1, 10] }, { datatype: 'INT64', shape: [-1, 1] }, { datatype: 'FP32', shape: [1, 1] }, { datatype: 'FP32', shape: [-1] }])('are not to be had from %j', (input) => {
    expect(() => featuresOf([{ name: 'x', ...input }])).toThrow(expect.objectContaining({ code: 'TENSOR_INVALID' }));
  });
});
