/**
 * Goal: a dataset version names exactly one set of rows.
 * Method: properties over random manifests: any order of segments gives the same id; any change of any member another.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalRecordLine, datasetVersionOf, splitByEventTime, type DatasetManifest, type ManifestSegment } from './index.js';

const segment = fc.record({
  kind: fc.constantFrom('record' as const, 'label' as const),
  topic: fc.constantFrom('a', 'b'),
  partition: fc.nat(3),
  fromOffset: fc.nat(1000),
  toOffset: fc.nat(2000),
  rows: fc.nat(500),
  sha256: fc.constantFrom('0'.repeat(64), '1'.repeat(64)),
});
const distinct = fc.uniqueArray(segment, { selector: ({ kind, topic, partition, fromOffset }) => `${kind}${topic}${partition}@${fromOffset}`, minLength: 1, maxLength: 8 });
const manifest = (segments: readonly ManifestSegment[]): DatasetManifest => ({
  formatVersion: 1,
  stream: 'flights',
  contractVersion: '1.0.0',
  segments,
  labelHorizon: '2013-03-01T00:00:00Z',
  window: { from: null, to: '2013-03-01T00:00:00Z' },
  features: [{ name: 'hour', type: 'number' }],
  label: { field: 'late', positive: true },
  split: { by: 'event-time', testShare: 0.2, validationShare: 0.1 },
});

describe('a dataset version', () => {
  it('does not depend on the order in which segments were learnt of', () => {
    fc.assert(fc.property(distinct, fc.infiniteStream(fc.nat()), (segments, chance) => {
      const shuffled = segments.map((value) => ({ value, at: chance.next().value })).sort((a, b) => Number(a.at) - Number(b.at)).map(({ value }) => value);
      expect(datasetVersionOf(manifest(shuffled))).toBe(datasetVersionOf(manifest(segments)));
    }));
  });

  it('does not depend on what else a caller’s rows carry', () => {
    fc.assert(fc.property(distinct, (segments) => {
      expect(datasetVersionOf(manifest(segments.map((entry) => ({ ...entry, objectKey: 'segments/x.parquet' }))))).toBe(datasetVersionOf(manifest(segments)));
    }));
  });

  it('changes when any segment changes, comes or goes', () => {
    fc.assert(fc.property(distinct, fc.nat(), fc.constantFrom('rows', 'toOffset', 'partition', 'fromOffset'), (segments, pick, member) => {
      const id = datasetVersionOf(manifest(segments));
      const at = pick % segments.length;
      expect(datasetVersionOf(manifest(segments.map((entry, index) => (index === at ? { ...entry, [member]: entry[member as 'rows'] + 5000 } : entry))))).not.toBe(id);
      expect(datasetVersionOf(manifest(segments.filter((_, index) => index !== at)))).not.toBe(id);
    }));
  });

  it.each([
    { change: { labelHorizon: '2013-03-02T00:00:00Z' } },
    { change: { contractVersion: '1.0.1' } },
    { change: { features: [{ name: 'hour', type: 'category' }] } },
    { change: { window: { from: '2013-01-01T00:00:00Z', to: '2013-03-01T00:00:00Z' } } },
    { change: { split: { by: 'event-time' as const, testShare: 0.25, validationShare: 0.1 } } },
  ])('changes with $change', ({ change }) => expect(datasetVersionOf({ ...manifest([]), ...change })).not.toBe(datasetVersionOf(manifest([]))));

  it('hashes a record by its content, not by the order of its fields', () => {
    const record = { recordId: 'a', eventTime: 't', value: { x: 1, y: 2 } };
    expect(canonicalRecordLine(record)).toBe('{"eventTime":"t","recordId":"a","value":{"x":1,"y":2}}\n');
    expect(canonicalRecordLine({ ...record, value: { y: 2, x: 1 } })).toBe(canonicalRecordLine(record));
  });
});

describe('the split by event time', () => {
  it('loses no row and keeps at least one to train on', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 100_000 }), fc.double({ min: 0, max: 0.49, noNaN: true }), fc.double({ min: 0, max: 0.49, noNaN: true }), (rows, testShare, validationShare) => {
      const { train, validation, test } = splitByEventTime(rows, { testShare, validationShare });
      expect(train + validation + test).toBe(rows);
      expect(train).toBeGreaterThan(0);
    }));
  });
  it('gives the latest fifth to the test', () => expect(splitByEventTime(1000, { testShare: 0.2, validationShare: 0.1 })).toEqual({ train: 700, validation: 100, test: 200 }));
  it('refuses shares that leave nothing', () => expect(() => splitByEventTime(10, { testShare: 0.6, validationShare: 0.4 })).toThrow(RangeError));
});
