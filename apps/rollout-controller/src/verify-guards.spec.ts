/**
 * Goal: a breach that took a candidate back is made again from the log of answers and failures, a business guard’s from outcomes,
 * and units that come again count once, all to the same bytes; figures, batches and units that were changed are found.
 * Method: the controller on a real Kafka and a real PostgreSQL; the spec plays gateways and joining, then runs
 * `millrace verify-verdict` as its own process. What is stored is changed by hand, one number each.
 */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OutcomeObserved } from '@millrace/contracts';
import { KafkaDriver } from '@millrace/messaging';
import { query } from '@millrace/persistence';
import { eventually, StandInService, VerifyVerdict } from '@millrace/testing';
import { GatewayTraffic } from './guards.fixture.js';
import { RolloutRing } from './rollouts.fixture.js';

const arm = { share: 0.5, rowsMin: 1_000, lossMargin: 0.1, duration: 'P30D' };
const rollout = {
  lossMargin: 0.02, shadow: { pairsMin: 40, duration: 'P30D' }, canary: arm, ab: arm, futilityBeta: 0,
  guards: { business: { field: 'revenue', lowest: 0, highest: 10, marginRelative: 0.1 } },
};
const better = { champion: 0.6, candidate: 0.9 };
const equal = { champion: 0.6, candidate: 0.6 };

describe('millrace verify-verdict, of what guards saw', () => {
  let ring: RolloutRing;
  let registry: StandInService;
  let rolloutId: string;
  let command: VerifyVerdict;
  const run = (sql: string): Promise<unknown> => query(ring.database.source, sql, [rolloutId]);
  const phase = async () => (await ring.call('GET', `/v1/rollouts/${rolloutId}`)).body['phase'];
  const stepsOf = async () => (await ring.call('GET', `/v1/rollouts/${rolloutId}`)).body['steps'] as { sequence: number; reason: string; evidence: { guard?: string; n: number } }[];

  beforeEach(async () => {
    ring = await RolloutRing.open({ log: new KafkaDriver({ brokers: (process.env['KAFKA_BROKERS'] ?? '').split(','), clientId: 'verify-guards-spec' }), name: `verify-${randomUUID().slice(0, 8)}`, rollout });
    await ring.announceSpec();
    await ring.register('v1');
    await ring.register('v2');
    rolloutId = `${ring.model}.v2.1`;
    registry = await StandInService.start((path) => ring.registryAnswer(path));
    command = new VerifyVerdict({ MILLRACE_ROLLOUT_CONTROLLER_URL: await ring.listen(), MILLRACE_MODEL_REGISTRY_URL: registry.address });
  });
  afterEach(async () => {
    await registry.stop();
    await ring.close();
  });

  async function intoCanary(): Promise<void> {
    for (let round = 0; round < 30 && (await phase()) === 'shadow'; round += 1) await ring.observe(20, better);
  }

  it('makes a breach again, and finds a figure, a batch and a switch of batches that were changed', async () => {
    const traffic = new GatewayTraffic(ring);
    await traffic.send(await traffic.follow(), 60, {});
    await traffic.seen(rolloutId, 120);
    await intoCanary();
    await traffic.send(await traffic.follow(), 150, {});
    await traffic.seen(rolloutId, 150);
    await ring.observe(30, equal);
    const canary = await ring.route();
    await eventually('it is taken back', async () => {
      await traffic.send(canary, 50, { candidate: true });
      return (await phase()) === 'rolled-back';
    });
    const honest = await command.verified(rolloutId);
    expect(honest).toMatchObject({ same: true, code: 0, unchecked: [], differences: [] });
    expect(honest.rows).toBeGreaterThan(150);

    const change = (from: string, to: string) => run(`UPDATE step SET evidence = jsonb_set(evidence, '{n}', ((evidence->>'n')::int ${from})::text::jsonb) ${to} WHERE rollout_id = $1 AND to_phase = 'rolled-back'`);
    await change('+ 1', '');
    expect(await command.verified(rolloutId)).toMatchObject({ same: false, code: 2, differences: [{ path: expect.stringMatching(/evidence\/n$/) }] });
    await change('- 1', '');
    expect(await command.verified(rolloutId)).toMatchObject({ same: true, code: 0 });

    const longest = '(SELECT number FROM guard_batch WHERE rollout_id = $1 ORDER BY observations DESC, number LIMIT 1)';
    await run(`UPDATE guard_batch SET from_offset = from_offset + 1 WHERE rollout_id = $1 AND number = ${longest}`);
    const moved = await command.verified(rolloutId);
    expect(moved).toMatchObject({ same: false, code: 2 });
    expect(moved.differences[0]?.path).toMatch(/^\/guard batches\/\d+$/);
    await run(`UPDATE guard_batch SET from_offset = from_offset - 1 WHERE rollout_id = $1 AND number = ${longest}`);
    await run('DELETE FROM guard_batch WHERE rollout_id = $1 AND number = 2');
    expect(await command.verified(rolloutId)).toMatchObject({ same: false, code: 2 });
  });

  it('says that a breach told by an earlier release can only be taken as recorded', async () => {
    const traffic = new GatewayTraffic(ring);
    const route = await traffic.follow();
    // Failures and answers come by two topics: whichever is read first, traffic that goes on decides.
    await eventually('it is taken back', async () => {
      await traffic.send(route, 50, { candidate: true });
      return (await phase()) === 'rolled-back';
    });
    await run(`UPDATE step SET inputs = inputs #- '{guard,batches}' #- '{guard,basisSha256}' #- '{guard,stateSha256}' #- '{guard,offsets}' WHERE rollout_id = $1 AND to_phase = 'rolled-back'`);
    expect(await command.verified(rolloutId)).toMatchObject({ same: true, code: 4, unchecked: [expect.stringContaining('taken as recorded')] });
    expect((await command.run(rolloutId)).stdout).toContain('NOT checked: step');
  });

  it('makes a business guard’s breach again from outcomes whose units come again', async () => {
    await intoCanary();
    // Each unit three times; the candidate’s bring half.
    let told = 0;
    const paying = (outcome: OutcomeObserved): OutcomeObserved => {
      const unit = `customer-${Math.floor((told += 1) / 6) * 2 + (told % 2)}`;
      return { ...outcome, measures: { revenue: outcome.predictions[0]?.arm === 'candidate' ? 2 : 8 }, predictions: outcome.predictions.map((prediction) => ({ ...prediction, unit })) };
    };
    for (let round = 0; round < 30 && (await phase()) === 'canary'; round += 1) await ring.observe(60, equal, paying);
    const last = (await stepsOf()).at(-1);
    expect(last?.evidence.guard).toBe('business');
    expect(last?.reason).toMatch(/^revenue: mean 2 of \d+, the champion’s 8 of \d+: at least [\d.]+ beyond what is tolerated/u);
    // Of three outcomes of a unit one counts.
    expect(last?.evidence.n).toBeLessThan(told / 2);
    expect(last?.evidence.n).toBeGreaterThan(told / 4);
    expect(await command.verified(rolloutId)).toMatchObject({ same: true, code: 0, differences: [] });
    await run(`UPDATE step SET evidence = jsonb_set(evidence, '{mean}', '-1') WHERE rollout_id = $1 AND to_phase = 'rolled-back'`);
    expect(await command.verified(rolloutId)).toMatchObject({ same: false, code: 2, differences: [{ path: expect.stringMatching(/evidence\/mean$/), recorded: -1, recomputed: -6 }] });
  });
});
