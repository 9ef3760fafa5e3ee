/**
 * Goal: `drift compare` reads two files, answers in the form that issue and help promise, and exits 0, 1 or 2 by it.
 * Method: the command itself on small seeded files; what is in them is known.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import { addDriftCompare } from './drift-compare.js';
import { printedBy } from './printed.fixture.js';

interface Answer {
  readonly verdict: string;
  readonly falseAlarms: number;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly verdict: string; readonly reasons: string[]; readonly newCategories: string[]; readonly threshold: number; readonly evidently?: { readonly method: string; readonly drifted: boolean } | null }[];
  readonly notCompared: readonly { readonly name: string }[];
}

describe('millrace drift compare', () => {
  let folder = '';
  const file = (name: string): string => join(folder, name);
  const exitBefore = process.exitCode;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'millrace-compare-'));
    const chance = seeded(31);
    const rows = (n: number, line: (row: number) => string, head: string): string => [head, ...Array.from({ length: n }, (_, row) => line(row))].join('\n');
    const carrier = (): string => (chance() < 0.6 ? 'AA' : chance() < 0.7 ? 'B6' : 'UA');
    const time = (row: number): string => new Date(Date.UTC(2026, 0, 1, 0, row)).toISOString();
    writeFileSync(file('reference.csv'), rows(8_000, (row) => `${time(row)},${(chance() * 100).toFixed(3)},${carrier()},${Math.floor(chance() * 3)}`, 'at,distance,carrier,stops'));
    writeFileSync(file('clean.csv'), rows(2_000, (row) => `${time(row)},${(chance() * 100).toFixed(3)},${carrier()},${Math.floor(chance() * 3)}`, 'at,distance,carrier,stops'));
    writeFileSync(file('faulty.csv'), rows(2_000, (row) => `${time(row)},${row % 20 === 0 ? 'unknown' : (chance() * 100).toFixed(3)},${row % 150 === 0 ? 'ZZ' : carrier()},${row % 2 === 0 ? '' : Math.floor(chance() * 3)}`, 'at,distance,carrier,stops'));
    writeFileSync(file('short.csv'), 'at,distance\n2026-01-01T00:00:00Z,3\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  afterEach(() => void (process.exitCode = exitBefore));

  const compare = (...args: string[]): Promise<string> => printedBy(addDriftCompare, 'compare', '--reference', file('reference.csv'), ...args);
  const answer = async (...args: string[]): Promise<Answer> => JSON.parse(await compare(...args, '--json')) as Answer;

  it('finds nothing in clean rows, and exits 0', async () => {
    const { columns, verdict, notCompared } = await answer('--current', file('clean.csv'));
    expect(columns.map(({ name, type, verdict: each }) => [name, type, each])).toEqual([['distance', 'numerical', 'stable'], ['carrier', 'categorical', 'stable'], ['stops', 'numerical', 'stable']]);
    expect(verdict).toBe('stable');
    expect(notCompared.map(({ name }) => name)).toEqual(['at']);
    expect(process.exitCode).toBe(exitBefore);
  });
  it('names each fault, and exits 2', async () => {
    const { columns, verdict } = await answer('--current', file('faulty.csv'));
    expect(verdict).toBe('drifted');
    expect(columns.map(({ reasons }) => reasons)).toEqual([['type'], ['new-category'], ['nulls']]);
    expect(columns[1]?.newCategories).toEqual(['ZZ']);
    expect(process.exitCode).toBe(2);
  });
  it('compares only the columns asked for, times among them', async () => {
    const { columns } = await answer('--current', file('clean.csv'), '--columns', 'stops,at');
    expect(columns.map(({ name, type }) => [name, type])).toEqual([['stops', 'numerical'], ['at', 'numerical']]);
  });
  it('says that a column is gone', async () => expect((await answer('--current', file('short.csv'))).columns.find(({ name }) => name === 'carrier')).toMatchObject({ verdict: 'drifted', reasons: ['missing'] }));
  it('asks for more with a smaller rate: per column, per family, per month', async () => {
    const thresholdOf = async (...args: string[]): Promise<number> => (await answer('--current', file('clean.csv'), ...args)).columns[0]?.threshold ?? NaN;
    const thresholds = [await thresholdOf('--false-alarms', '0.05'), await thresholdOf(), await thresholdOf('--family-wise'), await thresholdOf('--budget', 'one false incident per year')];
    expect([...thresholds].sort((a, b) => a - b)).toEqual(thresholds);
    expect(new Set(thresholds).size).toBe(4);
  });
  it('shows Evidently’s choice beside ours', async () => {
    const { columns } = await answer('--current', file('faulty.csv'), '--evidently-compat');
    // The nulls of `stops` and the new category are no drift to it.
    expect(columns.map(({ evidently }) => evidently)).toMatchObject([{ method: 'wasserstein', drifted: false }, { method: 'jensenshannon', drifted: false }, { method: 'jensenshannon', drifted: false }]);
  });
  it('is a table with sentences for people', async () => {
    const text = await compare('--current', file('faulty.csv'));
    expect(text).toMatch(/^COLUMN\s+VERDICT/u);
    expect(text).toContain('“ZZ” is new');
    expect(text).toContain('All together: drifted.');
  });
  it.each([[['--current', 'nowhere.csv']], [['--current', 'clean.csv', '--columns', 'nope']], [['--current', 'clean.csv', '--false-alarms', '2']], [['--current', 'clean.csv', '--false-alarms', '0']], [['--current', 'clean.csv', '--budget', 'never']], [[]]])('refuses %j', async (args) => {
    await expect(compare(...args.map((each) => (each.endsWith('.csv') ? file(each) : each)))).rejects.toMatchObject({ code: 'REQUEST_INVALID' });
  });
});
