/**
 * Goal: retraining is weighed on every piece of news and each answer is kept; a run ends as the trainer’s exit code says,
 * and the trainer’s own reason reaches the operator.
 * Method: the orchestrator as it runs on the memory log and real PostgreSQL; a shell script in the trainer’s place that
 * ends as trainer contract v1 describes.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { contractBroken } from '@millrace/contracts';
import { query } from '@millrace/persistence';
import { eventually } from '@millrace/testing';
import { history, modelSpec, OrchestratorUnderTest } from './orchestrator.fixture.js';

const rows = history(600, ({ size }) => size > 50);
const fail = (code: number, reason: string): string => `printf '%s' '${reason}' > "$MILLRACE_JOB_DIR/output/failure"; exit ${code}`;

interface EvaluationView {
  decision: string;
  trigger: string | null;
  times: number;
  reasons: { rule: string; outcome: string; reason: string }[];
}

describe('training-orchestrator', () => {
  let orchestrator: OrchestratorUnderTest;
  const start = async (script: string, changes: object = {}) => {
    orchestrator = await OrchestratorUnderTest.start(script);
    await orchestrator.apply(modelSpec(changes));
  };
  const archive = async () => {
    await orchestrator.seal('shapes', 'record', rows.records);
    await orchestrator.seal('shapes', 'label', rows.labels);
  };
  const evaluations = async () => (await orchestrator.get('/v1/models/shapes/evaluations')).body['evaluations'] as EvaluationView[];
  const trainStep = async () => {
    const { body } = await orchestrator.get('/v1/runs/shapes-run-1');
    return (body['steps'] as { step: string; attempts: number; error: { code: string; reason: string } | null }[]).find(({ step }) => step === 'train');
  };
  afterEach(() => orchestrator.stop());

  it('says no until enough is labelled, once per pattern of reasons, and then plans', async () => {
    await start(fail(42, 'enough of the story'));
    // News that comes while other news is weighed is weighed together with the next: one at a time here.
    const sealed = async (kind: 'record' | 'label', part: typeof rows.records, answers: number) => {
      await orchestrator.seal('shapes', kind, part);
      await eventually(`answer ${answers} is kept`, async () => (await evaluations())[0]?.times === answers);
    };
    await sealed('record', rows.records, 1);
    await sealed('label', rows.labels.slice(0, 200), 2);
    await sealed('label', rows.labels.slice(200, 400), 3);
    expect(await evaluations()).toMatchObject([{ decision: 'no', times: 3, reasons: [{ rule: 'initial', outcome: 'quiet' }, { rule: 'budget', outcome: 'quiet' }] }]);
    await orchestrator.seal('shapes', 'label', rows.labels.slice(400));
    await orchestrator.completed(1);
    expect((await evaluations()).map(({ decision, trigger }) => [decision, trigger])).toContainEqual(['retrain', 'initial']);
  });

  it('ends the run with the trainer’s own words when it refuses, and never tries again', async () => {
    await start(fail(42, 'feature size holds 3 infinite values'));
    await archive();
    const [run] = await orchestrator.completed(1);
    expect(run).toMatchObject({ outcome: 'failed', runId: 'shapes-run-1', candidate: null, trigger: 'initial' });
    expect(run?.reason).toContain('feature size holds 3 infinite values');
    expect(await trainStep()).toMatchObject({ attempts: 1, error: { code: 'TRAINER_REFUSED' } });
    expect(await orchestrator.get('/v1/models/shapes/runs')).toMatchObject({ body: { runs: [{ runId: 'shapes-run-1', state: 'failed' }] } });
  });

  it('tries a fault as often as the spec allows, each time in a folder of its own', async () => {
    await start(`test -e "$MILLRACE_JOB_DIR/model/left-over" && exit 42; touch "$MILLRACE_JOB_DIR/model/left-over"; ${fail(1, 'a fault of the trainer')}`, { trainer: { name: 'tabular', algorithm: 'lightgbm', attempts: 2 } });
    await archive();
    const [run] = await orchestrator.completed(1);
    expect(run?.reason).toContain('exit code 1');
    expect(await trainStep()).toMatchObject({ attempts: 2 });
  });

  it('tries once more after memory ran out', async () => {
    await start('kill -9 $$');
    await archive();
    const [run] = await orchestrator.completed(1);
    expect(run?.reason).toContain('ran out of memory');
    expect(await trainStep()).toMatchObject({ attempts: 2 });
  });

  it('stops a trainer that takes longer than its timeout', async () => {
    await start('sleep 600', { trainer: { name: 'tabular', algorithm: 'lightgbm', timeout: 'PT1S', attempts: 1 } });
    await archive();
    const [run] = await orchestrator.completed(1);
    expect(run?.reason).toContain('PT1S');
  });

  it('shows what the trainer reports, hands it the contract’s environment, and takes it along when it stops', async () => {
    await start(`printf '{"type":"report","step":20,"name":"fence","value":%s}\\n' "$TRAIN_FENCE" > "$MILLRACE_JOB_DIR/output/events.jsonl"; sleep 600`);
    await archive();
    await eventually('the progress is shown', async () => JSON.stringify((await orchestrator.get('/v1/runs/shapes-run-1')).body['progress'] ?? null).includes('"fence"'));
    const [step] = await query<{ process: { pid: number } }>(orchestrator.database.source, `SELECT process FROM step WHERE step = 'train'`);
    await orchestrator.app.close();
    expect(() => process.kill(step?.process.pid ?? 0, 0)).toThrow('ESRCH');
    expect(await query(orchestrator.database.source, `SELECT state, failures FROM step WHERE step = 'train'`)).toEqual([{ state: 'waiting', failures: 0 }]);
  });

  it('weighs a request by hand: cool-down gives way, a run under way does not', async () => {
    await start('test "$TRAIN_RUN_ID" = shapes-run-1 && exit 42; sleep 600');
    await archive();
    await orchestrator.completed(1);
    await orchestrator.seal('shapes', 'record', [{ id: 'later', at: new Date(rows.endMs + 60_000).toISOString(), size: 1, kind: 'flat' }]);
    const cooling = await eventually('the cool-down is told', async () => (await evaluations()).find(({ reasons }) => reasons.some(({ rule, outcome }) => rule === 'cooldown' && outcome === 'blocks')));
    expect(cooling).toMatchObject({ decision: 'no' });
    const asked = { by: 'ada', reason: 'after the incident' };
    expect(await orchestrator.call('POST', '/v1/models/shapes/runs', asked)).toMatchObject({ status: 202, body: { decision: 'retrain', trigger: 'manual', runId: 'shapes-run-2' } });
    expect(await orchestrator.call('POST', '/v1/models/shapes/runs', asked)).toMatchObject({ status: 202, body: { decision: 'no', runId: null } });
    const [latest] = await evaluations();
    expect(latest?.reasons.find(({ rule }) => rule === 'active-run')).toMatchObject({ outcome: 'blocks' });
  });

  it('does not train while the contract is broken, and says on which day it broke', async () => {
    await start(fail(42, 'not to be reached'));
    const day = new Date(rows.endMs).toISOString();
    await orchestrator.send(contractBroken, { stream: 'shapes', contractVersion: '1.0.0', judged: 100, quarantined: 60, shareQuarantined: 0.6, shareQuarantinedMax: 0.2, eventTimeFrom: day, eventTimeTo: day, rules: [], offsets: [] }, 'shapes');
    await eventually('the break is known', async () => (await query(orchestrator.database.source, 'SELECT 1 FROM contract_break')).length === 1);
    await archive();
    const refused = await eventually('the block is told', async () => (await evaluations()).find(({ reasons }) => reasons.some(({ rule, outcome }) => rule === 'initial' && outcome === 'triggers')));
    expect(refused).toMatchObject({ decision: 'no' });
    expect(refused.reasons.find(({ rule }) => rule === 'contract')?.reason).toContain(`broken on ${day.slice(0, 10)}`);
    const after = new Date(rows.endMs + 2 * 86_400_000).toISOString();
    await orchestrator.seal('shapes', 'record', [{ id: 'later', at: after, size: 1, kind: 'flat' }]);
    expect(await orchestrator.completed(1)).toMatchObject([{ trigger: 'initial' }]);
  });

  it('says what it does not know', async () => {
    await start(fail(42, 'not to be reached'));
    const expectations: [string, string, number, string][] = [
      ['GET', '/v1/models/nobody/runs', 404, 'MODEL_UNKNOWN'], ['GET', '/v1/runs/none', 404, 'RUN_UNKNOWN'], ['GET', '/v1/datasets/none', 404, 'DATASET_UNKNOWN'],
      ['GET', '/v1/verifications/none', 404, 'VERIFICATION_UNKNOWN'], ['POST', '/v1/runs/none/verify', 404, 'RUN_UNKNOWN'], ['GET', '/v1/models/shapes/runs?limit=many', 400, 'REQUEST_INVALID'],
    ];
    for (const [method, url, status, code] of expectations) expect([url, await orchestrator.call(method as 'GET', url)]).toMatchObject([url, { status, body: { code } }]);
    expect(await orchestrator.call('POST', '/v1/models/shapes/runs', { by: 'ada', reason: 'too early' })).toMatchObject({ status: 422, body: { code: 'DATASET_EMPTY' } });
    expect(await orchestrator.call('POST', '/v1/models/shapes/runs', {})).toMatchObject({ status: 400, body: { code: 'REQUEST_INVALID' } });
  });
});
