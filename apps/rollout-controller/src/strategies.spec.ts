// Goal: strategies of the spec move traffic through the whole service: shares that grow, a switch with its watch, holds, slices,
//   and labels that come after a decision, also when the candidate has everything already; each move is one route event.
// Method: as in rollouts.spec.ts; losses (1 − 0.9)² = 0.01, (1 − 0.6)² = 0.16 and (1 − 0.1)² = 0.81. Late labels are outcomes
//   under a route that is no longer in force. The steps are then made again from the log by the code behind verify-verdict.
import { afterEach, describe, expect, it } from '@jest/globals';
import type { OutcomeObserved, RouteChanged } from '@millrace/contracts';
import { RolloutRing } from './rollouts.fixture.js';

let ring: RolloutRing;
afterEach(async () => {
  await ring.close();
});

const better = { champion: 0.6, candidate: 0.9 };
const worse = { champion: 0.6, candidate: 0.1 };
const equal = { champion: 0.6, candidate: 0.6 };
const arm = { share: 0.5, rowsMin: 40, lossMargin: 0.1, duration: 'P30D' };
const sections = { lossMargin: 0.02, shadow: { pairsMin: 40, duration: 'P30D' }, canary: arm, ab: arm };

async function open(rollout: object): Promise<string> {
  ring = await RolloutRing.open({ rollout: { ...sections, ...rollout } });
  await ring.announceSpec();
  await ring.register('v1');
  await ring.register('v2');
  return `${ring.model}.v2.1`;
}
const one = async (id: string) => (await ring.call('GET', `/v1/rollouts/${id}`)).body as { phase: string; status: string; standing: { waitsFor: string; shareNow: number | null; steps: { name: string; stands: string }[] } | null; steps: { sequence: number }[] };
const command = (id: string, name: string) => ring.call('POST', `/v1/rollouts/${id}/commands`, { command: name, by: 'ada', reason: 'a spec wants it' });
/** Feeds twenty outcomes at a time until the roll-out stands elsewhere. */
async function until(id: string, said: typeof better, done: (now: { phase: string; status: string }) => boolean, change?: (outcome: OutcomeObserved) => OutcomeObserved): Promise<void> {
  for (let round = 0; round < 60 && !done(await one(id)); round += 1) await ring.observe(20, said, change);
  expect(done(await one(id))).toBe(true);
}
const movesOf = async (id: string): Promise<string[]> => (await ring.published()).steps.filter(({ rolloutId, from, to }) => rolloutId === id && from !== to).map(({ from, to }) => `${from} → ${to}`);
/** Outcomes of predictions that were made under an earlier route: their labels come now. */
const under = (route: RouteChanged) => (outcome: OutcomeObserved): OutcomeObserved => ({
  ...outcome,
  predictions: outcome.predictions.slice(0, 1).flatMap((prediction) => (['champion', 'candidate'] as const).map((who) => ({ ...prediction, predictionId: `${prediction.predictionId}-${who}`, role: who === 'champion' ? ('primary' as const) : ('shadow' as const), arm: who, routeRevision: route.revision, output: { probability: outcome.label === true ? worse[who] : 1 - worse[who] } }))),
});

describe('a strategy of the spec', () => {
  it('grows a share by one route event each, and tells its steps by name', async () => {
    const id = await open({ steps: [{ type: 'shadow' }, { type: 'linear', from: 0.1, by: 0.2, to: 0.5, every: 'PT1H', rowsMin: 12, duration: 'P9D' }] });
    await until(id, better, ({ phase }) => phase === 'full');
    const { routes } = await ring.published();
    expect(routes.map(({ revision, phase, step, candidate }) => [revision, phase, step ?? null, candidate?.share ?? null])).toEqual([[1, 'full', null, null], [2, 'shadow', 'shadow', 0], [3, 'canary', 'linear', 0.1], [4, 'canary', 'linear', 0.3], [5, 'canary', 'linear', 0.5], [6, 'full', null, null]]);
    expect(await movesOf(id)).toEqual(['registered → shadow', 'shadow → linear', 'linear (10 %) → linear (30 %)', 'linear (30 %) → linear (50 %)', 'linear → full']);
    expect((await one(id)).standing?.steps.map(({ name, stands }) => `${name}: ${stands}`)).toEqual(['shadow: passed', 'linear: passed']);
  });

  it('switches at once, keeps the old champion beside it, and goes back in one event', async () => {
    const id = await open({ strategy: 'blue-green' });
    await until(id, better, ({ phase }) => phase === 'blue-green');
    expect(await ring.route()).toMatchObject({ phase: 'ab', step: 'blue-green', champion: { version: 'v1' }, candidate: { version: 'v2', share: 1, mirror: true } });
    await until(id, worse, ({ phase }) => phase === 'rolled-back');
    expect(await ring.route()).toMatchObject({ phase: 'full', champion: { version: 'v1' }, candidate: null });
  });

  it('waits for a person where its plan says so, and goes on when told', async () => {
    const id = await open({ steps: [{ type: 'shadow', onPass: 'hold' }, { type: 'ab' }] });
    await until(id, better, ({ status }) => status === 'paused');
    expect(await one(id)).toMatchObject({ phase: 'shadow', standing: { waitsFor: 'a person (the step is passed): advance, promote, resume, abort or rollback' } });
    expect((await command(id, 'advance')).body).toMatchObject({ status: 'active', phase: 'ab' });
    expect(await movesOf(id)).toEqual(['registered → shadow', 'shadow → shadow (held)', 'shadow → ab']);
  });

  it('takes back a candidate that is worse for one slice', async () => {
    const id = await open({ slices: ['carrier'], steps: [{ type: 'ab', rowsMin: 5_000 }] });
    const hurt = (outcome: OutcomeObserved): OutcomeObserved => {
      const bad = Number(outcome.recordId.slice(7)) % 10 < 2;
      return { ...outcome, predictions: outcome.predictions.map((prediction) => ({ ...prediction, groups: { carrier: bad ? 'AA' : 'UA' }, ...(bad && prediction.arm === 'candidate' ? { output: { probability: outcome.label === true ? 0.1 : 0.9 } } : {}) })) };
    };
    await until(id, better, ({ phase }) => phase === 'rolled-back', hurt);
    const last = (await ring.published()).steps.at(-1);
    expect(last).toMatchObject({ verdict: 'worse', reason: expect.stringMatching(/^for carrier=AA: mean loss/) });
    expect(last?.evidence.slices?.map(({ slice }) => slice)).toEqual(['carrier=AA', 'carrier=UA']);
  });
});

describe('labels that come late', () => {
  const shadowOnly = { steps: [{ type: 'shadow' }] };

  it('take back a candidate that has everything already; both verdicts stay told', async () => {
    const id = await open(shadowOnly);
    const shadow = await ring.route();
    await until(id, better, ({ phase }) => phase === 'full');
    expect(await one(id)).toMatchObject({ status: 'ended', standing: { waitsFor: expect.stringMatching(/^late labels until 2013-03-08T/) } });
    await ring.observe(200, equal, under(shadow));
    expect(await one(id)).toMatchObject({ status: 'ended', phase: 'rolled-back' });
    expect(await ring.route()).toMatchObject({ revision: 4, phase: 'full', champion: { version: 'v1' }, candidate: null });
    const steps = (await ring.published()).steps.filter(({ rolloutId }) => rolloutId === id);
    const promotion = steps.find(({ to }) => to === 'full');
    expect(['better', 'not-worse']).toContain(promotion?.verdict);
    expect(steps.at(-1)).toMatchObject({ from: 'full', to: 'rolled-back', verdict: 'worse', revises: promotion?.sequence, inputs: { routable: true } });
    expect((await one(id)).steps.at(-1)).toMatchObject({ revises: promotion?.sequence });
  });

  it('are told only when another roll-out is under way', async () => {
    const id = await open(shadowOnly);
    const shadow = await ring.route();
    await until(id, better, ({ phase }) => phase === 'full');
    await ring.register('v3');
    await ring.observe(200, equal, under(shadow));
    expect(await one(id)).toMatchObject({ phase: 'full' });
    const told = (await ring.published()).steps.filter(({ rolloutId, revises }) => rolloutId === id && revises !== undefined);
    expect(told).toMatchObject([{ from: 'full', to: 'full', verdict: 'worse', inputs: { routable: false }, reason: expect.stringMatching(/cannot be routed again: something has followed$/) }]);
    expect(await ring.route()).toMatchObject({ champion: { version: 'v2' }, candidate: { version: 'v3' } });
  });

  it('are waited for no longer than the spec says, and one taken back by hand numbers its steps on', async () => {
    const id = await open(shadowOnly);
    const shadow = await ring.route();
    await until(id, better, ({ phase }) => phase === 'full');
    expect((await command(id, 'rollback')).body).toMatchObject({ phase: 'rolled-back' });
    await ring.observe(200, equal, under(shadow));
    const steps = (await ring.published()).steps.filter(({ rolloutId }) => rolloutId === id);
    const numbers = steps.map(({ sequence }) => sequence);
    expect(numbers).toEqual(numbers.map((_, index) => index));
    expect(steps.at(-1)).toMatchObject({ from: 'rolled-back', to: 'rolled-back', verdict: 'worse' });
    await ring.observe(1, equal, (outcome) => ({ ...outcome, labelEventTime: '2013-03-20T00:00:00Z' }));
    expect((await one(id)).standing?.waitsFor).toBe('nothing: it has ended');
  });
});
