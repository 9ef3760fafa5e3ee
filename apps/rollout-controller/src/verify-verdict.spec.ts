/**
 * Goal: the steps of a roll-out can be made again from the log to the same bytes; a step that was changed, a range that was
 * moved and an order that was lost are found.
 * Method: the controller on a real Kafka and a real PostgreSQL, outcomes over two partitions in small turns, people’s orders
 * between them; then `millrace verify-verdict` as its own process. What is stored is changed by hand, one number each.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { KafkaDriver } from '@millrace/messaging';
import { query } from '@millrace/persistence';
import { StandInService, VerifyVerdict, type CommandEnd, type Verified } from '@millrace/testing';
import { RolloutRing } from './rollouts.fixture.js';

const brokers = process.env['KAFKA_BROKERS'] ?? '';
const better = { champion: 0.6, candidate: 0.9 };

describe('millrace verify-verdict, of a roll-out', () => {
  let ring: RolloutRing;
  let registry: StandInService;
  let rolloutId: string;
  let address: string;

  const command = () => new VerifyVerdict({ MILLRACE_ROLLOUT_CONTROLLER_URL: address, MILLRACE_MODEL_REGISTRY_URL: registry.address });
  const verify = (id: string): Promise<CommandEnd> => command().run(id);
  const verified = (id = rolloutId): Promise<Verified> => command().verified(id);
  const run = (sql: string): Promise<unknown> => query(ring.database.source, sql, [rolloutId]);
  const order = (name: string) => ring.call('POST', `/v1/rollouts/${rolloutId}/commands`, { command: name, by: 'ada', reason: 'a spec wants it' });
  const phase = async () => (await ring.call('GET', `/v1/rollouts/${rolloutId}`)).body['phase'];

  beforeAll(async () => {
    if (brokers === '') throw new Error('KAFKA_BROKERS is not set: run `npm test`, which starts a broker');
    ring = await RolloutRing.open({ log: new KafkaDriver({ brokers: brokers.split(','), clientId: 'verify-spec' }), name: `verify-${randomUUID().slice(0, 8)}` });
    await ring.announceSpec();
    await ring.register('v1');
    await ring.register('v2');
    rolloutId = `${ring.model}.v2.1`;
    address = await ring.listen();
    registry = await StandInService.start((path) => ring.registryAnswer(path));
    await ring.observe(30, { champion: 0.6, candidate: 0.6 });
    await order('pause');
    await ring.observe(45, better);
    await order('resume');
    for (let round = 0; round < 20 && (await phase()) === 'shadow'; round += 1) await ring.observe(7, better);
    await ring.observe(120, { champion: 0.6, candidate: 0.7 });
  });
  afterAll(async () => {
    await registry.stop();
    await ring.close();
  });

  it('makes the same bytes again, of the whole roll-out and of one step', async () => {
    const whole = await verified();
    expect(whole).toMatchObject({ same: true, code: 0, differences: [], recordedSha256: whole.recomputedSha256 });
    expect(whole.rows).toBeGreaterThan(200);
    expect(await verified(`${rolloutId}#3`)).toMatchObject({ same: true, code: 0, rows: 75 });
    const told = await verify(rolloutId);
    expect(told).toMatchObject({ code: 0, stdout: expect.stringContaining(`${rolloutId}: the same bytes, ${whole.recomputedSha256}`) });
  });

  it('finds one number that was changed in a step', async () => {
    await run(`UPDATE step SET evidence = jsonb_set(evidence, '{low}', '-0.5') WHERE rollout_id = $1 AND to_phase = 'canary' AND from_phase = 'shadow'`);
    const found = await verified();
    expect(found).toMatchObject({ same: false, code: 2 });
    expect(found.differences).toEqual([{ path: expect.stringMatching(/^\/step \d+\/evidence\/low$/), recorded: -0.5, recomputed: expect.any(Number) }]);
    await run(`UPDATE step SET evidence = jsonb_set(evidence, '{low}', '${JSON.stringify(found.differences[0]?.recomputed)}') WHERE rollout_id = $1 AND to_phase = 'canary' AND from_phase = 'shadow'`);
    expect(await verified()).toMatchObject({ same: true });
  });

  it('finds a range that was moved, and partitions that have changed places', async () => {
    const longest = `(SELECT number FROM reading WHERE rollout_id = $1 ORDER BY to_offset - from_offset DESC, number LIMIT 1)`;
    await run(`UPDATE reading SET from_offset = from_offset + 1 WHERE rollout_id = $1 AND number = ${longest}`);
    const moved = await verified();
    expect(moved).toMatchObject({ same: false, code: 2 });
    expect(moved.differences[0]?.path).toMatch(/^\/readings\/\d+$/);
    await run(`UPDATE reading SET from_offset = from_offset - 1 WHERE rollout_id = $1 AND number = ${longest}`);
    expect(await verified()).toMatchObject({ same: true });
    await run(`UPDATE reading SET number = -number WHERE rollout_id = $1 AND number <= 2`);
    await run(`UPDATE reading SET number = 3 + number WHERE rollout_id = $1 AND number < 0`);
    const swapped = await verified();
    expect(swapped).toMatchObject({ same: false, code: 2 });
    await run(`UPDATE reading SET number = -number WHERE rollout_id = $1 AND number <= 2`);
    await run(`UPDATE reading SET number = 3 + number WHERE rollout_id = $1 AND number < 0`);
    expect(await verified()).toMatchObject({ same: true });
  });

  it('says what it cannot know', async () => {
    expect(await verify(`${rolloutId}#9999`)).toMatchObject({ code: 1, stderr: expect.stringContaining('ROLLOUT_UNKNOWN') });
    expect(await verify('nobody.v1.1')).toMatchObject({ code: 1, stderr: expect.stringContaining('ROLLOUT_UNKNOWN') });
    expect(await verify('not#a#step')).toMatchObject({ code: 1, stderr: expect.stringContaining('REQUEST_INVALID') });
    await run(`UPDATE step SET inputs = NULL WHERE rollout_id = $1 AND sequence = 1`);
    expect(await verify(rolloutId)).toMatchObject({ code: 1, stderr: expect.stringContaining('INPUTS_MISSING') });
  });
});
