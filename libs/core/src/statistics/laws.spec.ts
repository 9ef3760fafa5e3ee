/**
 * Goal: every sketch and every detector keeps the laws of its trade: merging, bytes, order, scale, seeds, extremes, emptiness, damage.
 * Method: whatever the folders’ indexes export as a kind is enrolled, and a file that enrols nothing fails; each law has been given
 * a twin that breaks it, and must say so.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import * as detectors from './detectors/index.js';
import { isDetectorKind, isSketchKind, type DetectorKind, type SketchKind } from './kinds.js';
import * as laws from './laws.fixture.js';
import * as sketches from './sketches/index.js';

const here = dirname(fileURLToPath(import.meta.url));
const sources = (folder: string): string[] => readdirSync(join(here, folder)).filter((name) => name.endsWith('.ts') && !/\.(spec|fixture)\.ts$|^index\.ts$/u.test(name)).map((name) => name.slice(0, -3));

const exportsOf = (folder: object): readonly unknown[] => Object.values(folder);
const sketchKinds = exportsOf(sketches).filter(isSketchKind);
const takesNumbers = (kind: SketchKind<unknown>): kind is SketchKind<unknown, 'number'> => kind.takes === 'number';

/** What a detector cannot do without; every other starts with its defaults. */
const needs: Partial<Record<detectors.DetectorName, object>> = {
  'e-detector': { baseline: { errors: 200, rows: 2_000 }, meanTimeBetweenFalseAlarms: 100_000 },
};
const watchable = (Object.keys(detectors.detectorTraits) as detectors.DetectorName[]).map((name): DetectorKind<detectors.DetectorState> => ({
  role: 'detector',
  name,
  takes: detectors.detectorTraits[name].takes,
  start: () => detectors.startDetector({ detector: name, ...needs[name] } as detectors.DetectorSettings),
  observe: detectors.observeError,
}));
const detectorKinds: readonly DetectorKind<any>[] = [...watchable, ...exportsOf(detectors).filter(isDetectorKind)];

describe('the roll', () => {
  it.each(sources('sketches'))('sketches/%s.ts enrols a kind', (file) => expect(sketchKinds.map(({ name }) => name.split('/')[0])).toContain(file));

  it.each(sources('detectors').filter((file) => /export function observe/u.test(readFileSync(join(here, 'detectors', `${file}.ts`), 'utf8')) && file !== 'error-watch'))('detectors/%s.ts enrols a kind', (file) =>
    expect(detectorKinds.map(({ name }) => name.split('/')[0])).toContain(file));

  it('names each kind once', () => {
    const names = [...sketchKinds, ...detectorKinds].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe.each(sketchKinds.map((kind) => ({ name: kind.name, kind })))('sketch $name', ({ kind }) => {
  it('merges associatively and commutatively within its error', () => laws.mergeLaw(kind));
  it('is not changed by nothing', () => laws.emptyLaw(kind));
  it('survives its bytes', () => laws.bytesLaw(kind));
  it('repeats itself under the same seed', () => laws.seedLaw(kind));
  it('does not depend on order, or says how far', () => laws.orderLaw(kind));
  it('takes one value over and over', () => laws.constantLaw(kind));
  it('refuses damaged bytes', () => laws.damageLaw(kind));
  if (takesNumbers(kind)) {
    it('moves with scale and shift as claimed', () => laws.scaleLaw(kind));
    it('answers no NaN to finite numbers', () => laws.finiteLaw(kind));
  }
});

describe.each(detectorKinds.map((kind) => ({ name: kind.name, kind })))('detector $name', ({ kind }) => {
  it('repeats itself, also from its JSON', () => laws.detectorStateLaw(kind));
  it('stays finite', () => laws.detectorFiniteLaw(kind));
  it('sees what nobody can overlook', () => laws.detectorSightLaw(kind));
});

describe('a law that is broken says so', () => {
  const { momentsKind, hyperLogLogKind, kllKind, frequentNamesKind, exactHistogramKind } = sketches;
  const drop = <S>(kind: SketchKind<S, 'number'>): SketchKind<S, 'number'> => ({ ...kind, merge: (a) => kind.parse(kind.serialise(a)) });
  let turn = 0;
  const broken: readonly { readonly law: string; readonly break: () => void }[] = [
    { law: 'merge loses one side', break: () => laws.mergeLaw(drop(momentsKind)) },
    { law: 'merge changes its input', break: () => laws.mergeLaw({ ...momentsKind, merge: (a, b) => Object.assign(a, momentsKind.merge(a, b)) }) },
    { law: 'rank error is claimed too small', break: () => laws.mergeLaw({ ...kllKind, answers: (sketch, probes) => kllKind.answers(sketch, probes).map((answer) => ({ ...answer, error: answer.error === Infinity ? Infinity : 1e-5 })) }) },
    { law: 'merging with nothing forgets', break: () => laws.emptyLaw(drop(momentsKind)) },
    { law: 'the mean of nothing is NaN', break: () => laws.emptyLaw({ ...momentsKind, answers: ({ n, m2 }) => [{ about: 'variance', value: m2 / n, error: 0 }] }) },
    { law: 'the coin is not in the bytes', break: () => laws.bytesLaw({ ...kllKind, parse: (bytes) => Object.assign(kllKind.parse(bytes), { coin: 12_345 }) }) },
    { law: 'chance from outside', break: () => laws.seedLaw({ ...kllKind, empty: () => sketches.emptyKll({ seed: (turn += 1) }) }) },
    { law: 'order counts after all', break: () => laws.orderLaw({ ...kllKind, orderIndependent: true }) },
    { law: 'order counts in a bounded answer', break: () => laws.orderLaw({ ...frequentNamesKind, answers: (items, probes) => [{ about: 'last', value: [...items.places.keys()].indexOf(probes[0] ?? ''), error: 0 }] }) },
    { law: 'a constant counts as many', break: () => laws.constantLaw({ ...hyperLogLogKind, answers: () => [{ about: 'distinct', value: 2, error: 1 }] }) },
    { law: 'bytes are not checked', break: () => laws.damageLaw({ ...momentsKind, parse: (bytes) => ({ ...sketches.emptyMoments(), n: bytes[3] ?? 0 }) }) },
    { law: 'damage ends in another error', break: () => laws.damageLaw({ ...momentsKind, parse: () => { throw new TypeError('undefined is no function'); } }) },
    { law: 'the variance moves as a length', break: () => laws.scaleLaw({ ...momentsKind, answers: (moments, probes) => momentsKind.answers(moments, probes).map((answer) => (answer.about === 'variance' ? { ...answer, moves: 'as-length' } : answer)) }) },
    { law: 'sums overflow to NaN', break: () => laws.finiteLaw({ ...momentsKind, answers: ({ min, max }) => [{ about: 'span', value: (max - min) * 0 , error: 0 }] }) },
    { law: 'an exact histogram that drops what is too much is not independent of order', break: () => laws.orderLaw({ ...exactHistogramKind, observe: (histogram, x) => { if (histogram.counts.size < 20 || histogram.counts.has(x)) exactHistogramKind.observe(histogram, x); } }) },
  ];
  it.each(broken)('$law', (twin) => expect(twin.break).toThrow(laws.LawBroken));

  const steady = watchable.find(({ name }) => name === 'page-hinkley');
  const ofDetector = (twin: Partial<DetectorKind<any>>): DetectorKind<any> => ({ ...(steady as DetectorKind<any>), ...twin });
  it.each<{ law: string; break: () => void }>([
    { law: 'a state that JSON does not hold', break: () => laws.detectorStateLaw({ role: 'detector', name: 'x', takes: 'bits', start: () => new Map([['rows', 0]]), observe: (rows, x) => { rows.set('rows', (rows.get('rows') ?? 0) + x); return (rows.get('rows') ?? 0) > 600 ? { row: 1, evidence: 1, threshold: 1 } : null; } }) },
    { law: 'an alarm with NaN', break: () => laws.detectorFiniteLaw(ofDetector({ observe: () => ({ row: 1, evidence: NaN, threshold: 1 }) })) },
    { law: 'rows counted from 0', break: () => laws.detectorFiniteLaw(ofDetector({ observe: () => ({ row: 0, evidence: 1, threshold: 1 }) })) },
    { law: 'a state that becomes infinite', break: () => laws.detectorFiniteLaw(ofDetector({ start: () => ({ sum: 1 }), observe: (state) => { state.sum *= 10; return null; } })) },
    { law: 'blindness', break: () => laws.detectorSightLaw(ofDetector({ observe: () => null })) },
  ])('$law', (twin) => expect(twin.break).toThrow());
});
