/**
 * Goal: an analyst's log of who answered with what probability gives the value of another split, in the documented JSON and in words;
 * a log that cannot tell it is refused with its reason and exit code 1, a bad row with its number.
 * Method: the real command on files written here; logs whose truth is known by construction.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { seeded } from '@millrace/testing';
import { printedBy } from './printed.fixture.js';
import { addRolloutFileCommands } from './rollout.js';

const folder = mkdtempSync(join(tmpdir(), 'rollout-value-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(name: string, lines: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

async function value(...args: string[]): Promise<any> {
  const printed = await printedBy(addRolloutFileCommands, 'rollout', 'value', ...args);
  return args.includes('--json') ? JSON.parse(printed) : printed;
}

/** Short trips: candidate answers half and errs in 5 %, champion in 10 %. Long ones: candidate answers a tenth and errs in 60 %, champion in 50 %. */
function split(rows: number): string[] {
  const chance = seeded(5);
  return Array.from({ length: rows }, (_, index) => {
    const isLong = chance() < 0.4;
    const share = isLong ? 0.1 : 0.5;
    const isCandidate = chance() < share;
    const rate = isLong ? (isCandidate ? 0.6 : 0.5) : isCandidate ? 0.05 : 0.1;
    return `u${index},${isCandidate ? 'candidate' : 'champion'},${isCandidate ? share : 1 - share},${chance() < rate ? 1 : 0},${isLong ? 'long' : 'short'}`;
  });
}
const header = 'unit,arm,propensity,loss,slice';
const log = fileOf('split.csv', [header, ...split(8_000)]);

describe('millrace rollout value', () => {
  it.each<[string, number]>([['candidate=1', 0.4 * 0.6 + 0.6 * 0.05], ['champion=1', 0.4 * 0.5 + 0.6 * 0.1], ['candidate=0.3,champion=0.7', 0.3 * 0.27 + 0.7 * 0.26]])('finds the value of %s', async (policy, truth) => {
    const { selfNormalised, doublyRobust, refusal, rows, units } = await value('--log', log, '--policy', policy, '--json');
    expect({ refusal, rows, units }).toEqual({ refusal: null, rows: 8_000, units: 8_000 });
    for (const { estimate, standardError, lower, upper } of [selfNormalised.value, doublyRobust.value]) {
      expect(Math.abs(estimate - truth)).toBeLessThan(4 * standardError);
      expect(upper - lower).toBeLessThan(0.1);
    }
    // The raw mean of the candidate's answers, 0.13, would mislead.
    if (policy === 'candidate=1') expect(selfNormalised.value.lower).toBeGreaterThan(0.2);
  });

  it('tells people both estimates, and what they rest on', async () => {
    const text = await value('--log', log, '--policy', 'candidate=1');
    expect(text).toMatch(/Mean loss of candidate=1, with 95 % intervals at one look/u);
    expect(text).toMatch(/self-normalised +0\.2\d/u);
    expect(text).toMatch(/doubly robust +0\.2\d/u);
    expect(text).toMatch(/Overlap: 8,000 units count as \d+;/u);
  });

  it('takes decisions that are no arms', async () => {
    const rows = split(2_000).map((line) => line.split(',')).map(([unit, arm, propensity, loss]) => `${unit},${propensity},${arm === 'candidate' ? 1 : 0},${loss},0.3,0.3`);
    const byTarget = await value('--log', fileOf('targets.csv', ['unit,propensity,target,loss,expected_logged,expected_target', ...rows]), '--json');
    const byArm = await value('--log', fileOf('arms.csv', [header, ...split(2_000)]), '--policy', 'candidate=1', '--json');
    expect(byTarget.selfNormalised).toEqual(byArm.selfNormalised);
    expect(byTarget.doublyRobust.value.standardError).toBeGreaterThan(0);
  });

  it('refuses a log without the candidate, but shows how it stands', async () => {
    const lines = split(1_000).map((line) => line.replace(/,candidate,[\d.]+,/u, ',champion,1,'));
    const refused = await value('--log', fileOf('nobody.csv', [header, ...lines]), '--policy', 'candidate=1', '--json').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'OVERLAP_POOR', message: expect.stringContaining('no-overlap') });
    expect(JSON.parse(refused.printed)).toMatchObject({ refusal: { code: 'no-overlap' }, selfNormalised: null, doublyRobust: null, overlap: { rowsWithWeight: 0 } });
  });

  it.each<[string, string[], string[], string]>([
    ['a propensity of 0', [header, 'a,candidate,0.5,1,x', 'b,champion,0,1,x'], ['--policy', 'candidate=1'], 'row 2: propensity is 0'],
    ['a missing loss', [header, 'a,candidate,0.5,,x'], ['--policy', 'candidate=1'], 'row 1: loss is missing'],
    ['a target above 1', ['propensity,target,loss', '0.5,1.5,1'], [], 'row 1: target is 1.5'],
    ['half a model', ['propensity,target,loss,expected_target', '0.5,1,1,0'], [], 'needs both'],
    ['neither target nor policy', [header, 'a,candidate,0.5,1,x'], [], 'has no column target'],
    ['shares that are no split', [header, 'a,candidate,0.5,1,x'], ['--policy', 'candidate=0.5'], 'add up to 0.5'],
    ['a policy that cannot be read', [header, 'a,candidate,0.5,1,x'], ['--policy', 'candidate'], 'list of arm=share'],
    ['no rows', [header], ['--policy', 'candidate=1'], 'has no rows'],
  ])('refuses %s', async (_what, lines, args, message) => {
    await expect(value('--log', fileOf('bad.csv', lines), ...args)).rejects.toMatchObject({ code: 'REQUEST_INVALID', message: expect.stringContaining(message) });
  });
});
