/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: every row of a file gets the model’s answer, in the file’s order, also when the work was interrupted.
// Method: a logistic regression whose answers follow from its closed form; an interruption thrown from the progress report,
//   and the output compared byte for byte with that of an undisturbed run.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { logisticModel } from '@millrace/model-runtime/testing';
import { openModel } from './open-model.js';
import { fileSource } from './row-source.js';
import { scoreFile } from './score-file.js';

let folder: string;
const path = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'score-'));
  mkdirSync(path('late/2'), { recursive: true });
  writeFileSync(path('late/2/model.onnx'), logisticModel({ numbers: { distance: { weight: 0.5, impute: 2 } }, categories: { carrier: { AA: 1 } }, intercept: 0 }));
  writeFileSync(path('late/model.yaml'), 'task: binary\nclasses: [on-time, late]\n');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const nothing = (): void => undefined;
const write = (name: string, rows: readonly string[]): string => {
  writeFileSync(path(name), `${rows.join('\n')}\n`);
  return path(name);
};

describe('scoreFile', () => {
  it('answers each row, imputing what is unknown, and repeats the columns that are no features', async () => {
    const input = write('in.csv', ['id,distance,carrier,note', 'a,1,AA,x', 'b,,UA,y', 'c,4,,z']);
    const report = await scoreFile(await openModel(path('late')), { input: fileSource(input), output: path('out.csv'), onProgress: nothing });
    expect(report).toMatchObject({ rows: 3, resumedAt: 0 });
    const [header, ...rows] = readFileSync(path('out.csv'), 'utf8').trim().split('\n').map((line) => line.split(','));
    expect(header).toEqual(['id', 'note', 'label', 'probability']);
    [0.5 + 1, 1, 2].forEach((margin, row) => {
      expect(rows[row]?.slice(0, 3)).toEqual([['a', 'x'], ['b', 'y'], ['c', 'z']][row]?.concat('late'));
      expect(Number(rows[row]?.[3])).toBeCloseTo(1 / (1 + Math.exp(-margin)), 6);
    });
  });

  it('goes on behind its last checkpoint, to the same bytes', async () => {
    const input = write('many.csv', ['id,distance,carrier', ...Array.from({ length: 250_000 }, (_, row) => `r${row},${(row % 97) / 10},AA`)]);
    const model = await openModel(path('late'));
    await scoreFile(model, { input: fileSource(input), output: path('whole.csv'), onProgress: nothing });
    const interrupted = scoreFile(model, { input: fileSource(input), output: path('again.csv'), onProgress: (done) => { if (done > 180_000) throw new Error('power cut'); } });
    await expect(interrupted).rejects.toThrow('power cut');
    expect(existsSync(path('again.csv'))).toBe(false);
    const report = await scoreFile(model, { input: fileSource(input), output: path('again.csv'), onProgress: nothing });
    expect(report.resumedAt).toBeGreaterThanOrEqual(100_000);
    expect(report.resumedAt).toBeLessThan(200_000);
    expect(readFileSync(path('again.csv')).equals(readFileSync(path('whole.csv')))).toBe(true);
    expect(existsSync(path('again.csv.partial'))).toBe(false);
  });

  it.each([
    ['a feature that is not there', 'in.csv', ['id,distance', 'a,1'], 'out.csv', 'carrier'],
    ['an output of an unknown kind', 'in.csv', ['id,distance,carrier', 'a,1,AA'], 'out.xlsx', '.xlsx'],
  ])('refuses %s', async (_what, name, rows, output, message) => {
    const input = write(name, rows);
    await expect(scoreFile(await openModel(path('late')), { input: fileSource(input), output: path(output), onProgress: nothing })).rejects.toMatchObject({ code: 'REQUEST_INVALID', message: expect.stringContaining(message) });
  });
});
