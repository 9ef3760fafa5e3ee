/**
 * Goal: `millrace profile` and `millrace contract` read CSV, JSON lines and nothing at all, print what they found, and end with 0, 2 or an error.
 * Method: files written here whose answers are known, the commands run as commander runs them, output and exit code looked at.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { addContractCommands } from './contract-infer.js';
import { printedBy } from './printed.fixture.js';
import { addProfileCommand } from './profile.js';

const folder = mkdtempSync(join(tmpdir(), 'contract-infer-'));
afterAll(() => rmSync(folder, { recursive: true }));
const kept = process.exitCode;
afterEach(() => void (process.exitCode = kept));

function file(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return path;
}

async function run(...args: string[]): Promise<{ said: string; exitCode: unknown }> {
  process.exitCode = undefined;
  const add = (program: Command): void => {
    addProfileCommand(program);
    addContractCommands(program);
  };
  return { said: await printedBy(add, ...args), exitCode: process.exitCode };
}

const row = (index: number) => ({ id: `a${index}`, zip: String(index % 100).padStart(5, '0'), at: new Date(Date.UTC(2024, 0, 1) + 1_000 * index).toISOString().slice(0, 19).replace('T', ' '), n: index % 7, x: index % 10 === 0 ? '' : String(index / 8) });
const csv = (from: number, to: number, change: (cells: string, index: number) => string = (cells) => cells): string[] =>
  ['id,zip,at,n,x', ...Array.from({ length: to - from }, (_, index) => change(Object.values(row(from + index)).join(','), from + index))];

interface Report {
  readonly rows: number;
  readonly columns: readonly { name: string; type: string; nulls: number; distinct: number; min: unknown; max: unknown; mean: unknown; quantiles: Record<string, number> | null; top: { value: unknown; atLeast: number }[] }[];
}

describe('profile', () => {
  it('tells what is known of each column', async () => {
    const { said, exitCode } = await run('profile', file('known.csv', csv(0, 1_000)), '--json');
    const { rows, columns } = JSON.parse(said) as Report;
    const of = (name: string) => columns.find((column) => column.name === name);
    expect([rows, exitCode]).toEqual([1_000, undefined]);
    expect(of('n')).toMatchObject({ type: 'number', nulls: 0, distinct: 7, min: 0, max: 6 });
    expect(of('n')?.top[0]).toMatchObject({ atLeast: 143 });
    expect(of('x')).toMatchObject({ nulls: 100, min: 0.125, max: 124.875 });
    expect(of('x')?.quantiles?.['0.5']).toBeCloseTo(62.5, 0);
    expect(of('at')).toMatchObject({ type: 'time', min: '2024-01-01T00:00:00.000Z', max: '2024-01-01T00:16:39.000Z' });
  });

  it.each([
    { name: 'no rows', lines: ['a,b'], columns: 2 },
    { name: 'one row', lines: ['a,b', '1,x'], columns: 2 },
    { name: 'a constant and an empty column', lines: ['a,b', '1,', '1,', '1,'], columns: 2 },
  ])('takes $name', async ({ name, lines, columns }) => {
    const path = file(`${name.replaceAll(' ', '-')}.csv`, lines);
    const report = JSON.parse((await run('profile', path, '--json')).said) as Report;
    expect(report.columns).toHaveLength(columns);
    expect(JSON.stringify(report)).not.toMatch(/NaN/u);
    expect((await run('profile', path)).said).toMatch(/^.*rows, 2 columns\n\nCOLUMN/u);
  });
});

describe('contract infer and check', () => {
  it('infers from CSV what JSON lines of the same rows keep, and finds a planted fault by row and column', async () => {
    const inferred = await run('contract', 'infer', file('orders.csv', csv(0, 3_000)));
    const contract = file('contract.yaml', [inferred.said]);
    const document = parse(inferred.said) as { id: string; schema: { properties: { name: string; logicalType: string; primaryKey?: boolean }[] }[] };
    expect(document.id).toBe('orders');
    expect(document.schema[0]?.properties.map(({ name, logicalType, primaryKey = false }) => [name, logicalType, primaryKey])).toEqual([['id', 'string', true], ['zip', 'string', false], ['at', 'timestamp', false], ['n', 'integer', false], ['x', 'number', false]]);

    const clean = await run('contract', 'check', file('clean.csv', csv(3_000, 4_000)), '--contract', contract, '--json');
    expect([JSON.parse(clean.said), clean.exitCode]).toMatchObject([{ rows: 1_000, rejectedRows: 0, dataset: [], verdict: 'kept' }, undefined]);
    const lines = Array.from({ length: 1_000 }, (_, index) => row(3_000 + index)).map((each) => JSON.stringify({ ...each, at: each.at.replace(' ', 'T'), x: each.x === '' ? null : Number(each.x) }));
    expect((await run('contract', 'check', file('clean.jsonl', lines), '--contract', contract)).exitCode).toBeUndefined();

    const faulty = await run('contract', 'check', file('faulty.csv', csv(3_000, 4_000, (cells, index) => (index === 3_041 ? cells.replace(/,\d,/u, ',many,') : cells))), '--contract', contract, '--json');
    const report = JSON.parse(faulty.said) as { examples: unknown[]; verdict: string };
    expect([report.examples, report.verdict, faulty.exitCode]).toMatchObject([[{ row: 42, column: 'n', rule: 'logicalType', kind: 'type', value: 'many' }], 'broken', 2]);
    const tolerated = await run('contract', 'check', join(folder, 'faulty.csv'), '--contract', contract, '--tolerate', '0.01');
    expect(tolerated.exitCode).toBeUndefined();
  });

  it('alarms for a late feed only when told when the file came', async () => {
    const contract = file('late.yaml', [(await run('contract', 'infer', file('feed.csv', csv(0, 3_000)))).said]);
    expect((await run('contract', 'check', file('feed-next.csv', csv(3_000, 4_000)), '--contract', contract, '--as-of', '2024-01-01T01:06:41Z')).exitCode).toBeUndefined();
    const { said, exitCode } = await run('contract', 'check', join(folder, 'feed-next.csv'), '--contract', contract, '--as-of', '2024-01-01T05:00:00Z');
    expect(exitCode).toBe(2);
    expect(said).toMatch(/late feed +at +latency/u);
  });

  it.each<{ args: string[]; story: RegExp }>([
    { args: ['infer', 'missing.csv'], story: /does not exist/u },
    { args: ['infer', file('nothing.csv', ['a,b'])], story: /no rows/u },
    { args: ['infer', file('some.csv', ['a', '1']), '--key', 'b'], story: /no column b/u },
    { args: ['infer', file('half.jsonl', ['{"a":1}', '{"a":']), '--id', 'half'], story: /line 2/u },
    { args: ['check', file('some.csv', ['a', '1']), '--contract', 'missing.yaml'], story: /cannot be read/u },
    { args: ['check', file('some.csv', ['a', '1']), '--contract', file('broken.yaml', ['kind: Model'])], story: /mistake/u },
  ])('refuses $args with a reason', async ({ args, story }) => {
    await expect(run('contract', ...args)).rejects.toThrow(story);
  });
});
