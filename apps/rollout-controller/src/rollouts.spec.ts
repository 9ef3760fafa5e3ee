// Goal: versions move shadow → canary → A/B → full by evidence, worse ones go back by themselves, people can intervene, every
//   change is one route event and one told step, and redelivery changes nothing.
// Method: the whole service over the memory twin of Kafka and a real PostgreSQL; the spec plays gateway and joining. Losses
//   are chosen so that the right verdict is beyond doubt: (1 − 0.9)² = 0.01 against (1 − 0.6)² = 0.16 or (1 − 0.1)² = 0.81.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { model, RolloutRing } from './rollouts.fixture.js';

let ring: RolloutRing;
beforeEach(async () => {
  ring = await RolloutRing.open();
});
afterEach(async () => {
  await ring.close();
});

const better = { champion: 0.6, candidate: 0.9 };
const worse = { champion: 0.6, candidate: 0.1 };
const rolloutsOf = async () => (await ring.call('GET', `/v1/models/${model}/rollouts`)).body['rollouts'] as { rolloutId: string; status: string; phase: string; candidateVersion: string; evidence: { n: number } | null }[];
const newest = async () => (await rolloutsOf())[0];
async function champion(version = 'v1'): Promise<void> {
  await ring.announceSpec();
  await ring.register(version);
}
async function shadowed(): Promise<string> {
  await champion();
  await ring.register('v2');
  return `${model}.v2.1`;
}
const order = { by: 'ada', reason: 'a spec wants it' };
const command = (id: string, name: string) => ring.call('POST', `/v1/rollouts/${id}/commands`, { command: name, ...order });

describe('a version that was registered', () => {
  it('is promoted at once when it is the first and its gate has passed', async () => {
    await champion();
    const { routes, steps } = await ring.published();
    expect(routes).toEqual([expect.objectContaining({ model, revision: 1, phase: 'full', candidate: null, champion: expect.objectContaining({ version: 'v1', signature: expect.objectContaining({ task: 'binary' }) }) })]);
    expect(steps).toEqual([expect.objectContaining({ candidateVersion: 'v1', championVersion: null, sequence: 0, from: 'registered', to: 'full', verdict: 'gate' })]);
  });

  it.each([
    ['its gate failed', { gate: { outcome: 'failed' as const, checks: [] } }],
    ['its gate was inconclusive', { gate: { outcome: 'inconclusive' as const, checks: [] } }],
    ['it was registered by hand', { source: 'manual' as const }],
  ])('moves nothing when %s', async (_why, change) => {
    await champion();
    await ring.register('v2', change);
    expect(await rolloutsOf()).toHaveLength(1);
    expect((await ring.published()).routes).toHaveLength(1);
  });

  it('starts in shadow beside a champion: share 0, mirrored, under a salt of its own', async () => {
    await shadowed();
    expect(await ring.route()).toMatchObject({ revision: 2, phase: 'shadow', rolloutId: `${model}.v2.1`, salt: `${model}:${model}.v2.1`, champion: { version: 'v1' }, candidate: { version: 'v2', share: 0, mirror: true } });
  });

  it('waits while another roll-out is under way, and begins when that one ends', async () => {
    const first = await shadowed();
    await ring.register('v3');
    expect(await newest()).toMatchObject({ candidateVersion: 'v3', status: 'waiting' });
    expect((await ring.route()).candidate?.version).toBe('v2');
    expect((await command(first, 'abort')).body).toMatchObject({ status: 'ended', phase: 'aborted' });
    expect(await newest()).toMatchObject({ candidateVersion: 'v3', status: 'active', phase: 'shadow' });
    expect(await ring.route()).toMatchObject({ phase: 'shadow', champion: { version: 'v1' }, candidate: { version: 'v3' } });
  });
});

describe('evidence', () => {
  it('takes a better candidate through canary and A/B to full', async () => {
    await shadowed();
    for (let round = 0; round < 60 && (await newest())?.status === 'active'; round += 1) await ring.observe(20, better);
    expect(await newest()).toMatchObject({ status: 'ended', phase: 'full' });
    const { routes, steps } = await ring.published();
    expect(routes.map(({ revision, phase }) => [revision, phase])).toEqual([[1, 'full'], [2, 'shadow'], [3, 'canary'], [4, 'ab'], [5, 'full']]);
    expect(routes.at(-1)).toMatchObject({ champion: { version: 'v2' }, candidate: null });
    const moves = steps.filter(({ rolloutId, from, to }) => rolloutId === `${model}.v2.1` && from !== to);
    expect(moves.map(({ from, to }) => `${from} → ${to}`)).toEqual(['registered → shadow', 'shadow → canary', 'canary → ab', 'ab → full']);
    for (const step of moves.slice(1)) {
      expect(['better', 'not-worse']).toContain(step.verdict);
      expect(step.evidence.n).toBeGreaterThanOrEqual(40);
      expect(step.evidence.mean).toBeCloseTo(0.01 - 0.16, 1);
      expect(step.streamTime).not.toBeNull();
    }
  });

  it('takes a worse candidate back from shadow, before it has answered anybody', async () => {
    await shadowed();
    for (let round = 0; round < 30 && (await newest())?.status === 'active'; round += 1) await ring.observe(20, worse);
    expect(await newest()).toMatchObject({ status: 'ended', phase: 'rolled-back' });
    expect(await ring.route()).toMatchObject({ revision: 3, phase: 'full', champion: { version: 'v1' }, candidate: null });
    const last = (await ring.published()).steps.at(-1);
    expect(last).toMatchObject({ from: 'shadow', to: 'rolled-back', verdict: 'worse' });
    expect(last?.evidence.mean).toBeCloseTo(0.81 - 0.16, 6);
    expect(last?.evidence.low).toBeGreaterThan(0.02);
  });

  it('takes back from canary a candidate that turns worse there', async () => {
    await shadowed();
    for (let round = 0; round < 30 && (await newest())?.phase === 'shadow'; round += 1) await ring.observe(20, better);
    for (let round = 0; round < 30 && (await newest())?.status === 'active'; round += 1) await ring.observe(20, worse);
    expect((await ring.published()).steps.at(-1)).toMatchObject({ from: 'canary', to: 'rolled-back', verdict: 'worse' });
  });

  it('does not count predictions made under an earlier route, nor a record twice', async () => {
    await shadowed();
    await ring.observe(60, better, (outcome) => ({ ...outcome, predictions: outcome.predictions.map((prediction) => ({ ...prediction, routeRevision: 1 })) }));
    expect(await newest()).toMatchObject({ evidence: { n: 0 } });
    await ring.observe(5, better, (outcome) => ({ ...outcome, predictions: [...outcome.predictions, ...outcome.predictions.map((prediction) => ({ ...prediction, requestId: 'again', predictionId: `${prediction.predictionId}-again` }))] }));
    expect(await newest()).toMatchObject({ evidence: { n: 5 } });
  });

  it('gives up a candidate without a verdict when its time is over, by the clock of the labels', async () => {
    await shadowed();
    await ring.observe(1, better);
    await ring.observe(1, better, (outcome) => ({ ...outcome, labelEventTime: '2013-05-01T00:00:00Z' }));
    expect((await ring.published()).steps.at(-1)).toMatchObject({ from: 'shadow', to: 'rolled-back', verdict: 'not-enough-evidence', streamTime: '2013-05-01T00:00:00.000Z' });
  });

  it('tells a look that changes nothing once per 50 outcomes', async () => {
    await shadowed();
    // Equal losses: never better, and within the margin only after very many.
    await ring.observe(120, { champion: 0.6, candidate: 0.6 }, (outcome) => ({ ...outcome, predictions: outcome.predictions.map((prediction, index) => ({ ...prediction, output: { probability: (Math.floor(Number(outcome.recordId.slice(7)) / 2) + index) % 2 } })) }));
    const looks = (await ring.published()).steps.filter(({ from, to }) => from === to);
    expect(looks.map(({ verdict, evidence }) => [verdict, evidence.n])).toEqual([['not-enough-evidence', 50], ['not-enough-evidence', 100]]);
  });

  it('changes nothing when everything is delivered again', async () => {
    await shadowed();
    await ring.observe(30, better);
    const before = { rollouts: await rolloutsOf(), ...(await ring.published()) };
    await ring.stop();
    // The group starts from the beginning, as after the loss of its offsets; the ledger knows better.
    await ring.forgetOffsets(['outcomes.outcome-observed.v1', 'outcomes'], ['registry.version-registered.v1', 'versions']);
    await ring.start();
    await ring.observe(1, better);
    const after = await ring.published();
    expect(after).toEqual({ routes: before.routes, steps: before.steps });
    expect(await newest()).toMatchObject({ evidence: { n: 31 } });
  });

  it('a failed performance window is a note and moves nothing', async () => {
    const id = await shadowed();
    await ring.failPerformance('v2');
    expect((await ring.call('GET', `/v1/rollouts/${id}`)).body['notes']).toEqual([expect.objectContaining({ text: expect.stringContaining('performance failed') })]);
    expect(await newest()).toMatchObject({ status: 'active', phase: 'shadow' });
  });
});

describe('commands', () => {
  it('pause holds a good candidate where it is, resume lets it go on', async () => {
    const id = await shadowed();
    expect((await command(id, 'pause')).body).toMatchObject({ status: 'paused' });
    await ring.observe(200, better);
    expect(await newest()).toMatchObject({ status: 'paused', phase: 'shadow' });
    expect((await command(id, 'pause'))).toMatchObject({ status: 409, body: { code: 'ROLLOUT_COMMAND_REFUSED' } });
    expect((await command(id, 'resume')).body).toMatchObject({ status: 'active' });
    await ring.observe(20, better);
    expect(await newest()).toMatchObject({ phase: 'canary' });
  });

  it('promote goes to full at once, and a completed roll-out can be taken back', async () => {
    const id = await shadowed();
    expect((await command(id, 'promote')).body).toMatchObject({ status: 'ended', phase: 'full' });
    expect((await ring.route()).champion.version).toBe('v2');
    expect((await command(id, 'rollback')).body).toMatchObject({ status: 'ended', phase: 'rolled-back' });
    expect(await ring.route()).toMatchObject({ revision: 4, champion: { version: 'v1' }, candidate: null });
    expect((await command(id, 'rollback')).status).toBe(409);
    const { steps } = await ring.published();
    expect(steps.filter(({ verdict }) => verdict === 'by-hand').map(({ to, reason }) => [to, reason])).toEqual([['full', 'promote by ada: a spec wants it'], ['rolled-back', 'rollback by ada: a spec wants it']]);
  });

  it('starts a version that was registered by hand', async () => {
    await champion();
    await ring.register('hand-made', { source: 'manual', gate: { outcome: 'inconclusive', checks: [] } });
    const started = await ring.call('POST', `/v1/models/${model}/rollouts`, { version: 'hand-made', ...order });
    expect(started).toMatchObject({ status: 201, body: { rolloutId: `${model}.hand-made.1`, status: 'active', phase: 'shadow', startedBy: 'ada' } });
    expect((await ring.published()).steps.at(-1)).toMatchObject({ to: 'shadow', verdict: 'by-hand' });
  });

  it.each([
    ['POST', '/v1/rollouts/nobody/commands', { command: 'pause', ...order }, 404, 'ROLLOUT_UNKNOWN'],
    ['POST', `/v1/models/${model}/rollouts`, { version: 'v9', ...order }, 404, 'VERSION_UNKNOWN'],
    ['POST', `/v1/models/${model}/rollouts`, { version: 'v1', ...order }, 409, 'ROLLOUT_COMMAND_REFUSED'],
    ['POST', `/v1/models/${model}/rollouts`, { version: 'v1' }, 400, 'REQUEST_INVALID'],
    ['POST', `/v1/rollouts/${model}.v1.1/commands`, { command: 'explode', ...order }, 400, 'REQUEST_INVALID'],
    ['POST', `/v1/rollouts/${model}.v1.1/commands`, { command: 'pause', ...order }, 409, 'ROLLOUT_COMMAND_REFUSED'],
    ['GET', '/v1/rollouts/nobody', undefined, 404, 'ROLLOUT_UNKNOWN'],
    ['GET', '/v1/models/nobody/rollouts', undefined, 404, 'MODEL_UNKNOWN'],
    ['GET', '/v1/models/nobody/route', undefined, 404, 'MODEL_UNKNOWN'],
  ] as const)('%s %s %j → %i %s', async (method, url, payload, status, code) => {
    await champion();
    expect(await ring.call(method, url, payload)).toMatchObject({ status, body: { code } });
  });
});
