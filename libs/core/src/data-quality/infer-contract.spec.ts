/**
 * Goal: an inferred contract bounds what further clean rows do, and each kind of fault breaks a rule that names it.
 * Method: tails of distributions whose exceedance is a closed form; forms of texts written down by hand; a small table of orders
 * from seeded chance, clean and with each of the twelve faults planted by hand. Rates over many tables are `contract-inference.study.ts`.
 */
import { describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import { compileTable, emptyContractEvidence, inferContract, observeForContract, startTableCheck, type TableVerdict } from './index.js';
import { datasetRuleOf, durationMs } from './dataset-rules.js';
import { emptyExtremes, observeExtreme, rises, roundedOut, upperBound } from './infer-contract-tails.js';
import { emptyTextForm, formOf, observeText } from './infer-contract-text.js';

const extremesOf = (values: readonly number[]) => {
  const extremes = emptyExtremes();
  for (const value of values) observeExtreme(extremes, value);
  return extremes;
};

describe('a bound for further values', () => {
  // P(X > bound) is e^−b for the exponential, b^−α for Pareto, and known for uniform values.
  it.each([
    { tail: 'exponential', make: (u: number) => -Math.log(u), beyond: (b: number) => Math.exp(-b), outOf: 20 },
    { tail: 'Pareto, α = 1', make: (u: number) => 1 / u, beyond: (b: number) => 1 / b, outOf: 1e8 },
    { tail: 'Pareto, α = 3', make: (u: number) => u ** (-1 / 3), beyond: (b: number) => b ** -3, outOf: 2_000 },
    { tail: 'uniform', make: (u: number) => u, beyond: (b: number) => Math.max(0, 1 - b), outOf: 1.1 },
  ])('is passed by about 3 in a million of $tail, and is no wider than it must', ({ make, beyond, outOf }) => {
    const bounds = Array.from({ length: 50 }, (_, seed) => {
      const uniform = seeded(seed);
      return upperBound(extremesOf(Array.from({ length: 10_000 }, () => make(1 - uniform()))), true) ?? NaN;
    });
    expect(bounds.reduce((sum, bound) => sum + beyond(bound), 0) / 50).toBeLessThanOrEqual(2e-5);
    expect(bounds.sort((a, b) => a - b)[25]).toBeLessThanOrEqual(outOf);
  });

  it('is the greatest value where that repeats', () => expect(upperBound(extremesOf(Array.from({ length: 1_000 }, (_, row) => row % 5)), true)).toBe(4));
  it('is none for few values', () => expect(upperBound(extremesOf([1, 2, 3]), true)).toBeNull());
  it('tells a counter from chance', () => {
    const uniform = seeded(1);
    expect(rises(extremesOf(Array.from({ length: 10_000 }, (_, row) => row)))).toBe(true);
    expect(rises(extremesOf(Array.from({ length: 10_000 }, () => uniform())))).toBe(false);
  });
  it.each([[103.74, 'up', 104], [103.74, 'down', 103], [-0.6543, 'down', -0.655], [-0.6543, 'up', -0.654], [0, 'up', 0], [99_999, 'up', 100_000]] as const)('rounds %d %s to %d', (bound, way, rounded) => expect(roundedOut(bound, way)).toBe(rounded));
});

describe('the form of texts', () => {
  it.each<{ texts: string[]; pattern: string | null }>([
    { texts: ['AB-0123', 'XY-9999'], pattern: '^[A-Z]{2}-[0-9]{4}$' },
    { texts: ['ord-100001', 'ord-100002'], pattern: '^[a-z]{3}-[0-9]{6,}$' },
    { texts: ['u1', 'u20', 'u300'], pattern: '^[a-z][0-9]+$' },
    { texts: ['3f2a-00', 'aaaa-9c', '1234-ff'], pattern: '^[0-9a-f]{4}-[0-9a-f]{2}$' },
    { texts: ['a@b.com', 'anna@mail.org'], pattern: '^[a-z]+@[a-z]+\\.[a-z]{3}$' },
    { texts: ['two words', 'or three words'], pattern: null },
    { texts: ['Zürich', 'Bern'], pattern: null },
  ])('of $texts', ({ texts, pattern }) => {
    const form = emptyTextForm();
    for (let round = 0; round < 10; round += 1) for (const text of texts) observeText(form, text);
    expect(formOf(form)?.pattern ?? null).toBe(pattern);
    if (pattern !== null) for (const text of texts) expect(new RegExp(pattern, 'u').test(text)).toBe(true);
  });
});

type Row = Record<string, unknown>;
const cities = ['Zürich', 'Berlin', 'Málaga'];

function orders(from: number, size: number): Row[] {
  const uniform = seeded(from);
  return Array.from({ length: size }, (_, index) => {
    const row = from + index;
    return {
      id: `ord-${100_000 + row}`,
      at: new Date(Date.UTC(2024, 0, 1) + 5_000 * row).toISOString().replace('.000Z', 'Z'),
      amount: -20 * Math.log(1 - uniform()),
      items: 1 + Math.floor(5 * uniform()),
      degrees: 1_000 + 300 * (uniform() + uniform() + uniform() - 1.5),
      city: cities[Math.floor(3 * uniform())],
      code: `AB-${String(Math.floor(10_000 * uniform())).padStart(4, '0')}`,
      note: uniform() < 0.2 ? null : Array.from({ length: 2 + Math.floor(12 * uniform()) }, () => (uniform() < 0.3 ? 'café' : 'table')).join(' '),
    };
  });
}

const reference = orders(0, 4_000);
const evidence = emptyContractEvidence();
for (const row of reference) observeForContract(evidence, row);
const document = inferContract(evidence, { id: 'orders' });
const table = compileTable(document);
const clean = orders(4_000, 2_000);
const cleanEnd = Date.UTC(2024, 0, 1) + 5_000 * 6_000;

function judge(rows: readonly Row[], asOfMs = cleanEnd + 1_000): TableVerdict {
  const check = startTableCheck(table);
  for (const row of rows) check.observe(row);
  return check.finish(asOfMs);
}

const late = (change: (row: Row) => Row): Row[] => clean.map((row, index) => (index >= 1_700 ? change(row) : row));
const few = (change: (row: Row) => Row): Row[] => clean.map((row, index) => (index % 100 === 50 ? change(row) : row));
const misread = (text: unknown): string => Array.from(new TextEncoder().encode(String(text)), (byte) => String.fromCharCode(byte)).join('');

describe('an inferred contract', () => {
  it('names key, event time and types', () => {
    expect([table.keyFields, table.eventTimeField]).toEqual([['id'], 'at']);
    expect(Object.fromEntries(table.fields.map(({ name, logicalType }) => [name, logicalType]))).toEqual({ id: 'string', at: 'timestamp', amount: 'number', items: 'integer', degrees: 'number', city: 'string', code: 'string', note: 'string' });
  });

  it('is kept by further clean rows', () => {
    const verdict = judge(clean);
    expect([verdict.rejectedRows, verdict.dataset, verdict.verdict]).toEqual([0, [], 'kept']);
  });

  it.each<{ kind: string; column: string; rows: Row[]; delayMs?: number }>([
    { kind: 'type', column: 'amount', rows: few((row) => ({ ...row, amount: String(row['amount']) })) },
    { kind: 'unit', column: 'degrees', rows: late((row) => ({ ...row, degrees: 1_000 * Number(row['degrees']) })) },
    { kind: 'null burst', column: 'city', rows: late((row) => ({ ...row, city: null })) },
    { kind: 'null burst', column: 'note', rows: late((row) => ({ ...row, note: null })) },
    { kind: 'new category', column: 'city', rows: few((row) => ({ ...row, city: 'Oslo' })) },
    { kind: 'range', column: 'items', rows: few((row) => ({ ...row, items: -1 })) },
    { kind: 'duplicate key', column: 'id', rows: [...clean, ...clean.slice(0, 3)] },
    { kind: 'stale clock', column: 'at', rows: late((row) => ({ ...row, at: clean[1_700]?.['at'] })) },
    { kind: 'stale clock', column: 'at', rows: late((row) => ({ ...row, at: '1970-01-01T00:00:00Z' })) },
    { kind: 'truncated text', column: 'code', rows: few((row) => ({ ...row, code: String(row['code']).slice(0, 4) })) },
    { kind: 'truncated text', column: 'note', rows: clean.map((row) => ({ ...row, note: row['note'] === null ? null : String(row['note']).slice(0, 40) })) },
    { kind: 'swapped columns', column: 'degrees', rows: late((row) => ({ ...row, degrees: row['amount'], amount: row['degrees'] })) },
    { kind: 'encoding', column: 'city', rows: late((row) => ({ ...row, city: misread(row['city']) })) },
    { kind: 'encoding', column: 'note', rows: late((row) => ({ ...row, note: row['note'] === null ? null : String(row['note']).replaceAll('é', '\uFFFD') })) },
    { kind: 'volume drop', column: '', rows: clean.filter((_, index) => index < 500 || index > 1_500 || index % 20 === 0) },
    { kind: 'late feed', column: 'at', rows: clean, delayMs: 3_600_000 },
  ])('is broken by $kind in $column, and says so', ({ kind, column, rows, delayMs = 0 }) => {
    const { byRule, dataset, verdict } = judge(rows, cleanEnd + delayMs);
    const found = [...byRule.map((each) => ({ kind: each.kind, columns: [each.column] })), ...dataset];
    expect(verdict).toBe('broken');
    expect(found.some((each) => each.kind === kind && (column === '' || each.columns.includes(column)))).toBe(true);
  });

  it('names row, column, rule and value', () => {
    const { examples } = judge(few((row) => ({ ...row, items: -1 })));
    expect(examples[0]).toMatchObject({ row: 51, column: 'items', rule: 'minimum', kind: 'range', value: -1 });
  });

  it('judges no rows, and rows of nothing but nulls', () => {
    expect(judge([]).verdict).toBe('kept');
    const blank = emptyContractEvidence();
    for (let row = 0; row < 100; row += 1) observeForContract(blank, { a: null });
    expect(() => compileTable(inferContract(blank, { id: 'blank' }))).not.toThrow();
  });

  it('takes a column that comes late for one with nulls', () => {
    const some = emptyContractEvidence();
    for (let row = 0; row < 200; row += 1) observeForContract(some, row < 150 ? { a: row } : { a: row, b: 1 });
    expect(compileTable(inferContract(some, { id: 'some' })).fields).toEqual([{ name: 'a', logicalType: 'integer', required: true }, { name: 'b', logicalType: 'integer', required: false }]);
  });
});

describe('a rule on all rows', () => {
  it.each<{ rule: object; story: RegExp }>([
    { rule: { metric: 'freshness', mustBeLessThan: 1 }, story: /no metric/u },
    { rule: { metric: 'rowCount' }, story: /limit/u },
    { rule: { metric: 'duplicateValues', mustBe: 0 }, story: /properties/u },
    { rule: { metric: 'rowCount', mustBe: 1, arguments: { per: 'hour' } }, story: /duration/u },
  ])('is refused with a reason: $rule', ({ rule, story }) => expect(datasetRuleOf(rule, null)).toMatch(story));

  it('excludes the ends of mustBeBetween, as ODCS has it', () => expect(datasetRuleOf({ metric: 'rowCount', mustBeBetween: [10, 20] }, null)).toMatchObject({ low: 10, high: 20, inclusive: false }));
  it.each([['PT1H', 3_600_000], ['P1DT30M', 88_200_000], ['PT0S', null], ['1h', null]] as const)('reads %s', (text, ms) => expect(durationMs(text)).toBe(ms));
});
