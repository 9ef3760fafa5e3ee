/**
 * Goal: `millrace drift watch` reads what people have, says rows from 1, and ends with 0, 2 or an error that names the row.
 * Method: files written here, the command run as commander runs it, its output and exit code looked at.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { addDriftWatch } from './drift-watch.js';
import { printedBy } from './printed.fixture.js';

const folder = mkdtempSync(join(tmpdir(), 'drift-watch-'));
afterAll(() => rmSync(folder, { recursive: true }));
const kept = process.exitCode;
afterEach(() => void (process.exitCode = kept));

function file(name: string, lines: readonly (string | number)[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

async function run(...args: string[]): Promise<{ said: string; exitCode: unknown }> {
  process.exitCode = undefined;
  return { said: await printedBy(addDriftWatch, 'watch', ...args), exitCode: process.exitCode };
}

const promised = ['--baseline-errors', '100/1000', '--mean-time-between-false-alarms', '1000000'];
/** Every tenth row wrong, and every second from row 2,001 on. */
const worse = Array.from({ length: 3_000 }, (_, index) => Number(index % (index < 2_000 ? 10 : 2) === 0));

describe('drift watch', () => {
  it('tells a rise as JSON with exit code 2', async () => {
    const { said, exitCode } = await run('--errors', file('worse.csv', ['e', ...worse]), ...promised, '--json');
    const report = JSON.parse(said) as { rows: number; alarms: Record<string, number>[] };
    expect(Object.keys(report)).toEqual(['rows', 'alarms']);
    expect(report.rows).toBe(3_000);
    expect(report.alarms).toHaveLength(1);
    const [alarm] = report.alarms;
    expect(Object.keys(alarm ?? {})).toEqual(['row', 'evidence', 'errorBefore', 'errorNow']);
    expect(alarm?.['row']).toBeGreaterThan(2_001);
    expect(alarm?.['row']).toBeLessThan(2_100);
    expect(alarm?.['evidence']).toBeGreaterThanOrEqual(1_000_000);
    expect(alarm?.['errorBefore']).toBeCloseTo(0.1, 2);
    expect(alarm?.['errorNow']).toBeCloseTo(0.5, 1);
    expect(exitCode).toBe(2);
  });
  it('says it in a sentence', async () => {
    const { said } = await run('--errors', file('sentence.csv', ['e', ...worse]), ...promised);
    expect(said).toMatch(/error rose from 0\.10 to 0\.5\d \(95 % interval 0\.\d\d–0\.\d\d\) around row (1,99|2,00)\d, seen at row 2,0\d\d/u);
  });
  it('takes true and false, and the column called error among others', async () => {
    const { said, exitCode } = await run('--errors', file('named.csv', ['id,error', ...worse.slice(0, 2_000).map((x, index) => `${index},${x === 1}`)]), ...promised, '--json');
    expect(JSON.parse(said)).toEqual({ rows: 2_000, alarms: [] });
    expect(exitCode).toBeUndefined();
  });
  it('tells a fall when asked to', async () => {
    const better = file('better.csv', ['e', ...[...worse].reverse()]);
    const halfWrong = ['--errors', better, '--baseline-errors', '500/1000', '--mean-time-between-false-alarms', '100000'];
    expect((await run(...halfWrong)).said).toContain('no alarm');
    const { said, exitCode } = await run(...halfWrong, '--two-sided');
    expect(said).toMatch(/error fell from 0\.50 to 0\.\d+ /u);
    expect(exitCode).toBe(2);
  });
  it.each(['adwin', 'page-hinkley', 'ddm', 'eddm', 'hddm-a', 'hddm-w'])('%s needs no baseline', async (detector) => {
    expect(JSON.parse((await run('--errors', file('plain.csv', ['e', 0, 1, 0]), '--detector', detector, '--json')).said)).toEqual({ rows: 3, alarms: [] });
  });
  it.each<{ lines: readonly (string | number)[]; args: string[]; message: string }>([
    { lines: ['e', 0, 1, 2], args: promised, message: 'row 3, column e is 2' },
    { lines: ['e', 0, 1, 'perhaps'], args: promised, message: 'row 3, column e is perhaps' },
    { lines: ['a,e', '0,1', '1,', '1,0'], args: promised, message: 'row 2, column e is empty' },
    { lines: [0, 1, 0], args: promised, message: 'no header' },
    { lines: ['a,b', '0,1'], args: promised, message: 'say with --column' },
    { lines: ['a,b', '0,1'], args: [...promised, '--column', 'c'], message: 'no column c' },
    { lines: ['e', 0.5], args: ['--detector', 'ddm'], message: 'row 1, column e is 0.5; this detector takes errors that are 0 or 1' },
    { lines: ['e', 0], args: ['--detector', 'adwin', '--two-sided'], message: '--two-sided is for the e-detector' },
    { lines: ['e', 0], args: ['--detector', 'oracle'], message: 'there is no detector oracle' },
    { lines: ['e', 0], args: ['--mean-time-between-false-alarms', '1000'], message: 'needs --baseline-errors' },
    { lines: ['e', 0], args: ['--baseline-errors', '5000/412', '--mean-time-between-false-alarms', '1000'], message: '--baseline-errors is 5000/412' },
    { lines: ['e', 0], args: ['--baseline-errors', '1/10'], message: 'needs --mean-time-between-false-alarms' },
    { lines: ['e', 0], args: ['--baseline-errors', '1/10', '--mean-time-between-false-alarms', 'often'], message: 'needs --mean-time-between-false-alarms' },
  ])('refuses: $message', async ({ lines, args, message }) => {
    await expect(run('--errors', file('bad.csv', lines), ...args)).rejects.toThrow(message);
  });
});
