import { murmurHash3 } from '../../inference/murmur-hash.js';
import { sealed, unsealed, type BinaryReader, type BinaryWriter } from '../binary-form.js';
import type { SketchKind } from '../kinds.js';
import { shortName } from './feature-state.js';

/**
 * Exact counts of names: of all of them while they fit into `bytesMax` bytes (some 400 names), else of those whose hash is below a
 * cut, which falls as more names come, and of those that are `wanted` whatever happens. A name below the cut was never let go, so
 * its count is exact; which names those are follows from the set of names alone, so state and bytes depend neither on order nor on
 * how the names were split and merged (coordinated sampling: E. Cohen, “Size-estimation framework”, J. Comput. Syst. Sci. 55,
 * 1997). Two of them know the same names as long as they saw the same ones.
 */
export interface NameCounts {
  n: number;
  /** Ascending by code units. */
  readonly wanted: readonly string[];
  readonly known: Map<string, KnownName>;
  /** Bytes of the known names that are not wanted: at most `bytesMax`. */
  bytes: number;
  readonly bytesMax: number;
  /** Names that hash to this or above are not known, but for the wanted ones; 2^32 when all are known. */
  cut: number;
  /** Some names that are above the cut, and so for ever: they need no hash again. No part of the bytes. */
  readonly passed: Set<string>;
}

const passedMax = 4_096;

interface KnownName {
  count: number;
  readonly hash: number;
  /** 0 when the name is wanted. */
  readonly bytes: number;
}

const bytesMaxDefault = 5_600;
const overhead = 4;
const all = 2 ** 32;
const seed = 0x6e616d65;
const utf8 = new TextEncoder();

const wantedName = (count: number): KnownName => ({ count, hash: 0, bytes: 0 });

/** @param wanted at most 64 names whose counts are kept whatever else comes: without duplicates, in any order. */
export function emptyNameCounts(wanted: readonly string[] = [], bytesMax = bytesMaxDefault): NameCounts {
  const sorted = [...new Set(wanted.map(shortName))].sort((a, b) => (a < b ? -1 : 1));
  return { n: 0, wanted: sorted, known: new Map(sorted.map((name) => [name, wantedName(0)])), bytes: 0, bytesMax, cut: all, passed: new Set() };
}

/** Takes the names of the highest hashes out until the others fit. */
function fit(counts: NameCounts): void {
  while (counts.bytes > counts.bytesMax) {
    let cut = 0;
    for (const { hash, bytes } of counts.known.values()) if (bytes > 0 && hash > cut) cut = hash;
    counts.cut = cut;
    dropAbove(counts);
  }
}

function dropAbove(counts: NameCounts): void {
  for (const [name, { hash, bytes }] of counts.known) {
    if (bytes === 0 || hash < counts.cut) continue;
    counts.known.delete(name);
    counts.bytes -= bytes;
  }
}

/** Names are short, but for what their bytes may be before they are shortened. */
const scratch = new Uint8Array(256);
const bytesOf = (name: string): Uint8Array => (name.length * 3 <= scratch.length ? scratch.subarray(0, utf8.encodeInto(name, scratch).written) : utf8.encode(name));

function add(counts: NameCounts, name: string, count: number): void {
  const encoded = bytesOf(name);
  const hash = murmurHash3(encoded, seed);
  if (hash >= counts.cut) {
    if (counts.passed.size < passedMax) counts.passed.add(name);
    return;
  }
  const bytes = encoded.length + overhead;
  counts.known.set(name, { count, hash, bytes });
  counts.bytes += bytes;
}

/** Names of more than 40 bytes are counted as `shortName` has them. */
export function observeNameCount(counts: NameCounts, name: string): void {
  counts.n += 1;
  const known = counts.known.get(name);
  if (known !== undefined) {
    known.count += 1;
    return;
  }
  if (counts.passed.has(name)) return;
  const short = shortName(name);
  const shorter = short === name ? undefined : counts.known.get(short);
  if (shorter !== undefined) {
    shorter.count += 1;
    return;
  }
  add(counts, short, 1);
  if (counts.bytes > counts.bytesMax) fit(counts);
}

/** What only one of the two wants is wanted no more: the other may have let it go. Of two sizes the smaller holds. */
export function mergeNameCounts(a: NameCounts, b: NameCounts): NameCounts {
  if (a.n === 0 || b.n === 0) return copyOf(a.n === 0 ? b : a);
  const both = new Set(b.wanted);
  const merged = emptyNameCounts(a.wanted.filter((name) => both.has(name)), Math.min(a.bytesMax, b.bytesMax));
  merged.n = a.n + b.n;
  merged.cut = Math.min(a.cut, b.cut);
  for (const side of [a, b]) {
    for (const [name, { count }] of side.known) {
      const known = merged.known.get(name);
      if (known !== undefined) known.count += count;
      else if (count > 0) add(merged, name, count);
    }
  }
  fit(merged);
  return merged;
}

const copyOf = (counts: NameCounts): NameCounts => ({ ...counts, passed: new Set(), known: new Map([...counts.known].map(([name, entry]) => [name, { ...entry }])) });

/** How often a name came; null when it may have come and been let go. */
export function nameCount(counts: NameCounts, name: string): number | null {
  const short = shortName(name);
  return counts.known.get(short)?.count ?? (murmurHash3(bytesOf(short), seed) < counts.cut ? 0 : null);
}

/** The most frequent known names, ties in the order of code units. */
export function frequentNames(counts: NameCounts, limit = Infinity): { readonly name: string; readonly count: number }[] {
  return [...counts.known]
    .filter(([, { count }]) => count > 0)
    .map(([name, { count }]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
    .slice(0, limit);
}

/** Counts of the names that both know, by name; the rest is n less their sum. */
export function comparableNames(a: NameCounts, b: NameCounts): [Map<string, number>, Map<string, number>] {
  const { known } = mergeNameCounts(a, b);
  const of = (counts: NameCounts): Map<string, number> => {
    const own = new Map<string, number>();
    for (const name of known.keys()) {
      const count = counts.known.get(name)?.count ?? 0;
      if (count > 0) own.set(name, count);
    }
    return own;
  };
  return [of(a), of(b)];
}

export function writeNameCounts(writer: BinaryWriter, counts: NameCounts): void {
  const others = [...counts.known].filter(([, { bytes }]) => bytes > 0).sort(([a], [b]) => (a < b ? -1 : 1));
  writer.count(counts.n);
  writer.count(counts.cut);
  writer.count(counts.wanted.length);
  for (const name of counts.wanted) {
    writer.text(name);
    writer.count(counts.known.get(name)?.count ?? 0);
  }
  writer.count(others.length);
  for (const [name, { count }] of others) {
    writer.text(name);
    writer.count(count);
  }
}

/** @param bytesMax as of the counts that were written. @throws RangeError for impossible counts. */
export function readNameCounts(reader: BinaryReader, bytesMax = bytesMaxDefault): NameCounts {
  const [n, cut] = [reader.count(), reader.size(all)];
  const wanted = Array.from({ length: reader.size(reader.left) }, (): [string, number] => [reader.text(), reader.count()]);
  const counts = emptyNameCounts(wanted.map(([name]) => name), bytesMax);
  [counts.n, counts.cut] = [n, cut];
  for (const [name, count] of wanted) counts.known.set(name, wantedName(count));
  const others = reader.size(reader.left);
  for (let index = 0; index < others; index += 1) add(counts, reader.text(), reader.count());
  const sum = [...counts.known.values()].reduce((total, { count }) => total + count, 0);
  if (sum > n || (sum < n && cut === all) || counts.bytes > bytesMax || counts.known.size !== counts.wanted.length + others) throw new RangeError('these counts of names cannot be');
  return counts;
}

const [tag, version] = [10, 1];
export const serialiseNameCounts = (counts: NameCounts): Uint8Array => sealed(tag, version, (writer) => writeNameCounts(writer, counts));
/** @throws RangeError for bytes that are no counts of names. */
export const parseNameCounts = (bytes: Uint8Array): NameCounts => unsealed(bytes, tag, version, readNameCounts);

export const nameCountsKind: SketchKind<NameCounts, 'name'> = {
  role: 'sketch',
  name: 'name-counts',
  takes: 'name',
  empty: () => emptyNameCounts(),
  observe: observeNameCount,
  merge: mergeNameCounts,
  serialise: serialiseNameCounts,
  parse: parseNameCounts,
  answers: (counts, probes) => [
    { about: 'count', value: counts.n, error: 0, moves: 'not' },
    ...probes.map((probe, index) => ({ about: `count of probe ${index}`, value: nameCount(counts, probe), error: 0, moves: 'not' as const })),
  ],
  orderIndependent: true,
};
