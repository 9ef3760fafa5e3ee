/**
 * Goal: an analyst’s file goes in, the documented JSON or a readable page comes out, with the exit code of an alarm; a bad
 * file is refused with the row that is wrong.
 * Method: the real command on files written here, what it prints and its exit code; verdicts that hold by construction.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import { printedBy } from './printed.fixture.js';
import { addRolloutFileCommands } from './rollout.js';

const folder = mkdtempSync(join(tmpdir(), 'rollout-judge-'));
afterEach(() => void (process.exitCode = 0));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

async function judge(...args: string[]): Promise<{ code: number | string | null | undefined; text: string; json: () => any }> {
  const text = await printedBy(addRolloutFileCommands, 'rollout', 'judge', ...args);
  return { code: process.exitCode, text, json: () => JSON.parse(text) };
}

/** Rows of a log in which the arms err with the shares given. */
function rows(champion: number, candidate: number, count: number, share = 0.5, slices = 1): string[] {
  const chance = seeded(42);
  return Array.from({ length: count }, (_, index) => {
    const isCandidate = chance() < share;
    return `u${index},${isCandidate ? 'candidate' : 'champion'},${chance() < (isCandidate ? candidate : champion) ? 1 : 0},s${index % slices}`;
  });
}
const header = 'unit,arm,loss,slice';

describe('millrace rollout judge', () => {
  it('answers the documented JSON, and 2 for an alarm', async () => {
    const { code, json } = await judge('--log', fileOf('worse.csv', [header, ...rows(0.1, 0.3, 2_000, 0.5, 2)]), '--margin', '0.01', '--alpha', '0.05', '--json');
    const answer = json();
    expect(code).toBe(2);
    expect(answer).toMatchObject({ verdict: 'worse', sampleRatio: { mismatch: false, firstRow: null } });
    expect(answer.trail).toEqual([{ row: answer.firstRow, verdict: 'worse', lower: expect.any(Number), upper: expect.any(Number) }]);
    expect(answer.interval.lower).toBeGreaterThan(0.01);
    expect(answer.slices.map(({ slice, verdict }: { slice: string; verdict: string }) => ({ slice, verdict }))).toEqual([{ slice: 's0', verdict: 'worse' }, { slice: 's1', verdict: 'worse' }]);
  });
  it('says it in a sentence and a trail, and 0 without alarm', async () => {
    const { code, text } = await judge('--log', fileOf('better.csv', [header, ...rows(0.3, 0.1, 2_000)]));
    expect(code ?? 0).toBe(0);
    expect(text).toMatch(/^Better: the candidate loses less; mean loss 0\.\d+ \(champion\) and 0\.\d+ \(candidate\)/u);
    expect(text).toMatch(/ROW {2}VERDICT/u);
  });
  it('takes the share that is stated, from CSV or JSONL alike', async () => {
    const lines = rows(0.1, 0.1, 3_000, 0.1);
    const jsonl = lines.map((line) => {
      const [unit, arm, loss] = line.split(',');
      return JSON.stringify({ unit, arm, loss: Number(loss) });
    });
    expect((await judge('--log', fileOf('canary.jsonl', jsonl), '--share', 'candidate=0.1', '--json')).json().sampleRatio.mismatch).toBe(false);
    const wrong = await judge('--log', fileOf('canary.csv', [header, ...lines]), '--json');
    expect(wrong.json().sampleRatio.mismatch).toBe(true);
    expect(wrong.code).toBe(2);
  });
  it('pairs rows of a unit', async () => {
    const lines = Array.from({ length: 600 }, (_, index) => [`u${index},candidate,${index % 2}`, `u${index},champion,${index % 4 === 1 ? 1 : 0}`]).flat();
    const answer = (await judge('--log', fileOf('paired.csv', ['unit,arm,loss', ...lines]), '--paired', '--json')).json();
    expect(answer).toMatchObject({ verdict: 'worse', arms: { candidate: { n: 600, loss: 300 }, champion: { n: 600, loss: 150 } } });
  });
  it.each([
    { name: 'an unknown arm', lines: ['unit,arm,loss', 'a,champion,0', 'b,control,1'], args: [], message: /row 2: arm is "control"/u },
    { name: 'a loss that is no number', lines: ['unit,arm,loss', 'a,champion,0', 'b,candidate,x'], args: [], message: /row 2: loss is not a number: x/u },
    { name: 'a missing loss', lines: ['unit,arm,loss', 'a,champion,0', 'b,candidate,'], args: [], message: /row 2: loss is missing/u },
    { name: 'a negative loss', lines: ['unit,arm,loss', 'a,champion,-1'], args: [], message: /row 1: loss is below 0/u },
    { name: 'a loss above 1 without a bound', lines: ['unit,arm,loss', 'a,champion,0.5', 'b,candidate,3'], args: [], message: /row 2: a loss of 3 is above 1/u },
    { name: 'a missing unit', lines: ['unit,arm,loss', ',champion,0', 'b,candidate,1'], args: [], message: /row 1: unit is missing/u },
    { name: 'a missing column', lines: ['unit,arm', 'a,champion'], args: [], message: /has no column loss/u },
    { name: 'no rows', lines: ['unit,arm,loss'], args: [], message: /has no rows/u },
    { name: 'a share of nobody', lines: ['unit,arm,loss', 'a,champion,0'], args: ['--share', '0.1'], message: /say candidate=0.1/u },
    { name: 'an error of 1', lines: ['unit,arm,loss', 'a,champion,0'], args: ['--alpha', '1'], message: /--alpha 1/u },
  ])('refuses $name', async ({ name, lines, args, message }) => {
    await expect(judge('--log', fileOf(`${name}.csv`, lines), ...args)).rejects.toThrow(message);
  });
});
