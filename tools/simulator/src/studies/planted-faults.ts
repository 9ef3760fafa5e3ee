import type { Chance } from '../chance.js';
import type { CleanRecord } from './clean-records.js';

/** A file with one fault in it, and where the fault is. */
export interface Plant {
  readonly records: CleanRecord[];
  readonly columns: readonly string[];
  /** How much later than usual the file comes, ms. */
  readonly delayMs: number;
}

export const faultKinds = ['type', 'unit', 'null burst', 'new category', 'range', 'duplicate key', 'stale clock', 'truncated text', 'swapped columns', 'encoding', 'volume drop', 'late feed'] as const;
export type PlantedKind = (typeof faultKinds)[number];

type Change = (record: CleanRecord) => CleanRecord;

const pick = <T>(chance: Chance, list: readonly T[]): T => {
  const item = list[chance.integer(list.length)];
  if (item === undefined) throw new RangeError('nothing to pick from');
  return item;
};

/** Changes a share of all rows, at random places. */
const some = (chance: Chance, records: readonly CleanRecord[], share: number, change: Change): CleanRecord[] => records.map((record) => (chance.uniform() < share ? change(record) : record));

/** Changes all rows of a stretch. */
function stretch(chance: Chance, records: readonly CleanRecord[], share: number, change: Change): CleanRecord[] {
  const size = Math.round(share * records.length);
  const from = chance.integer(records.length - size + 1);
  return records.map((record, row) => (row >= from && row < from + size ? change(record) : record));
}

/** Changes all rows from somewhere in the first half on, as a new release of a producer does. */
function onward(chance: Chance, records: readonly CleanRecord[], change: Change): CleanRecord[] {
  const from = chance.integer(Math.floor(records.length / 2));
  return records.map((record, row) => (row >= from ? change(record) : record));
}

const inColumn = (column: string, change: (value: unknown) => unknown): Change => (record) => ({ ...record, [column]: change(record[column]) });
const plant = (columns: readonly string[], records: CleanRecord[], delayMs = 0): Plant => ({ columns, records, delayMs });

function typeFault(chance: Chance, records: CleanRecord[]): Plant {
  const column = pick(chance, ['amount', 'temperature', 'claim', 'items', 'discount', 'rating', 'event_time', 'vip', 'sku']);
  const wrong = column === 'event_time' ? (value: unknown) => Date.parse(String(value)) : column === 'sku' ? () => 17 : pick(chance, [() => 'n/a', (value: unknown) => String(value), () => ({})]);
  return plant([column], some(chance, records, 0.01, inColumn(column, wrong)));
}

function unitFault(chance: Chance, records: CleanRecord[]): Plant {
  const column = pick(chance, ['amount', 'temperature', 'claim', 'items', 'discount', 'rating']);
  return plant([column], onward(chance, records, inColumn(column, (value) => (typeof value === 'number' ? 1_000 * value : value))));
}

function nullFault(chance: Chance, records: CleanRecord[]): Plant {
  const column = pick(chance, ['amount', 'items', 'rating', 'comment', 'city', 'sku', 'vip', 'event_time']);
  return plant([column], stretch(chance, records, 0.1 + 0.2 * chance.uniform(), inColumn(column, () => null)));
}

function categoryFault(chance: Chance, records: CleanRecord[]): Plant {
  const column = pick(chance, ['city', 'status']);
  const name = pick(chance, ['Atlantis', 'unknown', 'OPEN', 'berlin']);
  return plant([column], some(chance, records, 0.01, inColumn(column, () => name)));
}

/** Values that the column never has by its nature: signs, sentinels, and ten times beyond its end. */
function rangeFault(chance: Chance, records: CleanRecord[]): Plant {
  const column = pick(chance, ['amount', 'temperature', 'claim', 'items', 'discount', 'rating']);
  const sentinel = pick(chance, [-999, -9_999]);
  const wrong = pick(chance, [() => sentinel, (value: unknown) => (column === 'temperature' ? 999 : -1 - Number(value)), () => (column === 'rating' ? 50 : -1e6)]);
  return plant([column], some(chance, records, 0.01, inColumn(column, wrong)));
}

function duplicateFault(chance: Chance, records: CleanRecord[]): Plant {
  const again = records.flatMap((record) => (chance.uniform() < 0.01 ? [record, record] : [record]));
  return plant(['order_id'], again);
}

function clockFault(chance: Chance, records: CleanRecord[]): Plant {
  const stuck = pick(chance, records)['event_time'];
  const time = chance.uniform() < 0.5 ? stuck : pick(chance, ['1970-01-01T00:00:00Z', '2000-01-01T00:00:00Z']);
  return plant(['event_time'], stretch(chance, records, 0.1 + 0.2 * chance.uniform(), inColumn('event_time', () => time)));
}

function truncationFault(chance: Chance, records: CleanRecord[]): Plant {
  const column = pick(chance, ['sku', 'customer', 'comment', 'city', 'status']);
  const length = column === 'comment' ? 20 + chance.integer(80) : pick(chance, [1, 2, 3]);
  return plant([column], onward(chance, records, inColumn(column, (value) => (typeof value === 'string' ? value.slice(0, length) : value))));
}

function swapFault(chance: Chance, records: CleanRecord[]): Plant {
  const columns = ['amount', 'temperature', 'claim', 'items', 'discount', 'rating', 'city', 'status', 'sku', 'customer', 'comment', 'vip'];
  const a = pick(chance, columns);
  const b = pick(chance, columns.filter((column) => column !== a));
  return plant([a, b], onward(chance, records, (record) => ({ ...record, [a]: record[b], [b]: record[a] })));
}

/** UTF-8 read as Latin-1, or characters lost. */
function encodingFault(chance: Chance, records: CleanRecord[]): Plant {
  const column = pick(chance, ['city', 'comment']);
  const misread = (text: string): string => Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
  const lost = (text: string): string => text.replaceAll(/[^\u0000-\u007F]/gu, '\uFFFD');
  const change = pick(chance, [misread, lost]);
  return plant([column], onward(chance, records, inColumn(column, (value) => (typeof value === 'string' ? change(value) : value))));
}

function volumeFault(chance: Chance, records: CleanRecord[]): Plant {
  const size = Math.round((0.3 + 0.3 * chance.uniform()) * records.length);
  const from = chance.integer(records.length - size);
  const kept = 0.2 * chance.uniform();
  return plant([], records.filter((_, row) => row < from || row >= from + size || chance.uniform() < kept));
}

const planters: Readonly<Record<PlantedKind, (chance: Chance, records: CleanRecord[]) => Plant>> = {
  type: typeFault,
  unit: unitFault,
  'null burst': nullFault,
  'new category': categoryFault,
  range: rangeFault,
  'duplicate key': duplicateFault,
  'stale clock': clockFault,
  'truncated text': truncationFault,
  'swapped columns': swapFault,
  encoding: encodingFault,
  'volume drop': volumeFault,
  'late feed': (chance, records) => plant(['event_time'], records, 600_000 + 3_000_000 * chance.uniform()),
};

export const plantFault = (kind: PlantedKind, chance: Chance, records: CleanRecord[]): Plant => planters[kind](chance, records);
