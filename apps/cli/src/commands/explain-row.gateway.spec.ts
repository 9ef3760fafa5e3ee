/**
 * Goal: `explain-row` through a gateway says what it says of the file itself, and tells the gateway’s refusals.
 * Method: the built gateway in a process of its own, with a model trained in Python (libs/core/fixtures/tree-shap.py).
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Explanation } from '@millrace/core/explanation';
import { launch, type RunningServer } from '@millrace/testing';
import { addExplainRowCommand } from './explain-row.js';
import { printedBy } from './printed.fixture.js';

const { models: frozen } = JSON.parse(readFileSync(join(import.meta.dirname, '../../../../libs/core/fixtures/tree-shap.json'), 'utf8')) as { models: { onnx: string; rows: Record<string, unknown>[] }[] };

const run = (...args: string[]): Promise<string> => printedBy(addExplainRowCommand, 'explain-row', ...args);

describe('millrace explain-row --model <name>, through a gateway', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-explained-'));
  const models = join(folder, 'models');
  const model = frozen[0];
  const path = join(models, 'machines/1/model.onnx');
  let gateway: RunningServer | undefined;

  beforeAll(async () => {
    mkdirSync(join(models, 'machines/1'), { recursive: true });
    writeFileSync(path, Buffer.from(model?.onnx ?? '', 'base64'));
    writeFileSync(join(models, 'machines/model.yaml'), 'task: binary\nclasses: ["false", "true"]\n');
    // The built gateway, as `millrace serve` starts it.
    const parameters = (port: number) => [join(import.meta.dirname, '../../../inference-gateway/dist/serve.js'), '--models', models, '--port', String(port), '--drain-ms', '0'];
    gateway = await launch({ name: 'the gateway', program: process.execPath, parameters, readyPath: '/health/ready', log: join(folder, 'gateway.log') });
    process.env['MILLRACE_INFERENCE_GATEWAY_URL'] = gateway.url;
  });
  afterAll(async () => {
    delete process.env['MILLRACE_INFERENCE_GATEWAY_URL'];
    await gateway?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('says what the file says, for a row and for a file of rows', async () => {
    const one = ['--features', JSON.stringify(model?.rows[0])];
    expect((await run('--model', 'machines', ...one)).split('\n').slice(1)).toEqual((await run('--model', path, ...one)).split('\n').slice(1));
    const rows = join(models, 'some-rows.jsonl');
    writeFileSync(rows, (model?.rows ?? []).map((row) => JSON.stringify(row)).join('\n'));
    const explained = JSON.parse(await run('--model', 'machines', '--in', rows, '--json')) as { method: string; version: string; explanations: Explanation[] };
    expect(explained).toMatchObject({ model: 'machines', version: '1', method: 'tree-path-dependent' });
    expect(explained.explanations.map(({ output }) => output)).toEqual((JSON.parse(await run('--model', path, '--in', rows, '--json')) as { explanations: Explanation[] }).explanations.map(({ output }) => output));
  });

  it('tells the gateway’s refusals with their codes', async () => {
    await expect(run('--model', 'nobody', '--features', '{}')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
    await expect(run('--model', 'machines', '--features', '{"heat": 1}')).rejects.toMatchObject({ code: 'FEATURE_MISSING' });
  });
});
