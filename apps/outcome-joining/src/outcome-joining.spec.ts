/**
 * Goal: every prediction meets its label exactly once, whatever the order, and the account balances.
 * Method: the room over the memory log and the real PostgreSQL; predictions and labels are sent in the order of each
 * case, the published outcomes are read back, and expected counts follow from what was sent.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventRefused, labelAdmitted, predictionServed } from '@millrace/contracts';
import { decodeEvent } from '@millrace/messaging';
import { eventually } from '@millrace/testing';
import { hour, JoiningRoom, label, model, prediction, received, type JoiningInstance } from './joining.fixture.js';

const records = (count: number): string[] => Array.from({ length: count }, (_, index) => `r${index}`);

describe('outcome-joining', () => {
  let room: JoiningRoom;
  beforeEach(async () => void (room = await JoiningRoom.open()));
  afterEach(() => room.close());
  const start = async (): Promise<JoiningInstance> => (await room.instance()).start();

  it('joins a label that comes after its prediction, with primary and shadow in one outcome', async () => {
    const instance = await start();
    await room.send(predictionServed, prediction('a', 0), prediction('a', 0, { role: 'shadow' }));
    await instance.settled({ predictionsLogged: 1, shadowLogged: 1, waiting: 1 });
    await room.send(labelAdmitted, label('a', 3, { late: false }));
    const [outcome, ...more] = await room.outcomes(1);
    expect(more).toEqual([]);
    expect(outcome?.key).toBe('a');
    expect(outcome?.data.predictions[0]).not.toHaveProperty('groups');
    expect(outcome?.data).toMatchObject({ model, recordId: 'a', label: false, labelEventTime: hour(3), labelPosition: { topic: labelAdmitted.type, offset: 0 } });
    expect(outcome?.data.predictions.map(({ predictionId, role, position }) => [predictionId, role, position.offset])).toEqual([['a/primary', 'primary', 0], ['a/shadow', 'shadow', 1]]);
    await instance.settled({ recordsLogged: 1, joined: 1, expired: 0, waiting: 0, labelsSeen: 1, labelsWithoutPrediction: 0 });
    expect(await instance.edge.prediction('a/shadow')).toMatchObject({ state: 'joined', recordId: 'a', topic: predictionServed.type, offset: 1, label: { value: false, offset: 0, eventTime: hour(3) } });
  });

  it('passes on the values that fairness is judged by, and no others', async () => {
    await room.judgeGroups('distance');
    await start();
    await room.send(predictionServed, prediction('a', 0, { features: { distance: 7, carrier: 'AA' } }), prediction('b', 0, { features: { distance: null } }), prediction('c', 0, { features: {} }));
    await room.send(labelAdmitted, label('a', 3), label('b', 3), label('c', 3));
    const groups = (await room.outcomes(3)).map(({ data }) => [data.recordId, data.predictions[0]?.groups]);
    expect(Object.fromEntries(groups)).toEqual({ a: { distance: '7' }, b: { distance: '(none)' }, c: { distance: '(none)' } });
  });

  it('joins a label that came before its prediction, at once', async () => {
    const instance = await start();
    await room.send(labelAdmitted, label('a', 3), label('unasked', 3));
    await instance.settled({ labelsSeen: 2, labelsWithoutPrediction: 2 });
    await room.send(predictionServed, prediction('a', 0), prediction('a', 0, { role: 'shadow' }));
    const [outcome] = await room.outcomes(1);
    expect(outcome?.data.predictions).toHaveLength(2);
    await instance.settled({ joined: 1, waiting: 0, labelsWithoutPrediction: 1 });
  });

  it('lets the first of several labels count, also within one batch', async () => {
    const instance = await start();
    await room.send(predictionServed, prediction('a', 0), prediction('b', 0));
    await instance.settled({ waiting: 2 });
    await room.send(labelAdmitted, label('a', 3, { late: false }), label('a', 4), label('b', 4));
    await instance.settled({ joined: 2, labelsSeen: 3, duplicateLabels: 1 });
    await room.send(labelAdmitted, label('b', 5, { late: false }));
    await instance.settled({ joined: 2, labelsSeen: 4, duplicateLabels: 2 });
    const outcomes = await room.outcomes(2);
    expect(outcomes.map(({ data }) => [data.recordId, data.label]).sort()).toEqual([['a', false], ['b', true]]);
  });

  it('keeps a prediction once that was logged twice', async () => {
    const instance = await start();
    await room.send(predictionServed, prediction('a', 0), prediction('a', 0));
    await room.send(predictionServed, prediction('a', 0));
    await instance.settled({ predictionsLogged: 1, repeatedPredictions: 2, recordsLogged: 1 });
    await room.send(labelAdmitted, label('a', 3));
    expect((await room.outcomes(1))[0]?.data.predictions).toHaveLength(1);
  });

  it('expires what never gets a label, on the stream clock, and counts a label that comes then as late', async () => {
    const instance = await start();
    await room.send(predictionServed, ...records(20).map((id) => prediction(id, 0)));
    await instance.settled({ waiting: 20 });
    expect(await instance.expiry.run()).toBe(0);
    const later = records(40).map((id) => `later-${id}`);
    await room.send(predictionServed, ...later.map((id) => prediction(id, 48)));
    await instance.settled({ waiting: 60 });
    expect(await instance.expiry.run()).toBe(0);
    await room.send(predictionServed, ...later.map((id) => prediction(`x${id}`, 49)));
    await instance.settled({ waiting: 100 });
    expect(await instance.expiry.run()).toBe(20);
    await room.send(labelAdmitted, label('r0', 50), label('later-r0', 50));
    await instance.settled({ recordsLogged: 100, joined: 1, expired: 20, waiting: 79, lateLabels: 1, labelsWithoutPrediction: 0 });
    expect(await instance.edge.prediction('r0/primary')).toMatchObject({ state: 'expired' });
  });

  it('does not join a label that is younger than the deadline, whenever it is read', async () => {
    const instance = await start();
    await room.send(predictionServed, prediction('a', 0));
    await instance.settled({ waiting: 1 });
    await room.send(labelAdmitted, label('a', 48.1), label('b', 48.1));
    await instance.settled({ labelsSeen: 2 });
    await room.send(predictionServed, prediction('b', 0));
    await instance.settled({ joined: 0, expired: 2, waiting: 0, lateLabels: 2, labelsWithoutPrediction: 0 });
  });

  it('forgets settled rows after their retention, and no open ones', async () => {
    const instance = await start();
    await room.send(predictionServed, prediction('old', 0), ...records(20).map((id) => prediction(id, 24 * 91)));
    await room.send(labelAdmitted, label('old', 1));
    await instance.settled({ joined: 1, waiting: 20 });
    room.now = new Date(room.now.getTime() + 60_000);
    await room.send(predictionServed, ...records(20).map((id) => prediction(`x${id}`, 24 * 91)));
    await instance.settled({ waiting: 40 });
    await instance.expiry.run();
    await expect(instance.edge.prediction('old/primary')).rejects.toMatchObject({ code: 'PREDICTION_UNKNOWN' });
    expect(await instance.edge.prediction('r0/primary')).toMatchObject({ state: 'open' });
    await instance.settled({ recordsLogged: 41, joined: 1, waiting: 40 });
  });

  it('sets aside a label that cannot be read and a prediction of an unknown model, and goes on', async () => {
    const instance = await start();
    await room.send(predictionServed, prediction('a', 0), prediction('b', 0));
    await room.send(labelAdmitted, label('a', 1, { late: 'perhaps' }), label('b', 1));
    await instance.settled({ joined: 1, waiting: 1, unreadableLabels: 1 });
    await room.send(predictionServed, prediction('c', 0, { model: 'nobodys' }));
    await eventually('the batch is tried again', () => room.log.warnings.length > 0);
    room.now = new Date(room.now.getTime() + 11_000);
    const refused: unknown[] = [];
    await room.driver.consume({ group: 'reader', topics: [eventRefused.type], onBatch: async (batch) => void refused.push(...batch.map((delivery) => decodeEvent(eventRefused, delivery).data.code)) });
    await eventually('two refused events', () => refused.length === 2);
    expect(refused.sort()).toEqual(['EVENT_INVALID', 'MODEL_UNKNOWN']);
  });

  it('joins each record once when a label and its prediction arrive in two transactions at the same moment', async () => {
    const one = await room.instance();
    const two = await room.instance(await room.database.replica());
    let outcomes = 0;
    for (let round = 0; round < 40; round += 1) {
      const ids = records(25).map((id) => `${round}-${id}`);
      const predictions = ids.map((id, index) => received(prediction(id, 0), predictionServed.type, round * 25 + index));
      const labels = [...ids].reverse().map((id, index) => received(label(id, 1), labelAdmitted.type, round * 25 + index));
      const answers = await Promise.all([one.foldPredictions(predictions), two.foldLabels(labels)]);
      outcomes += answers.flat().length;
    }
    expect(outcomes).toBe(1_000);
    await one.settled({ recordsLogged: 1_000, joined: 1_000, waiting: 0 });
  });

  it('is exact when both folds run, fail in the middle and another instance takes over', async () => {
    let failures = 0;
    const dying = await room.instance();
    await dying.start((purpose) => {
      failures += 1;
      if (failures % 3 === 0) throw new Error(`the process died in ${purpose}`);
    });
    const ids = records(600);
    for (let from = 0; from < ids.length; from += 50) {
      const part = ids.slice(from, from + 50);
      await room.send(labelAdmitted, ...part.filter((_, index) => index % 2 === 0).map((id) => label(id, 1)));
      await room.send(predictionServed, ...part.map((id) => prediction(id, 0)), ...part.map((id) => prediction(id, 0, { role: 'shadow' })));
      await room.send(labelAdmitted, ...part.map((id) => label(id, 1)));
    }
    await eventually('some failures', () => failures > 6);
    const heir = await (await room.instance(await room.database.replica())).start();
    await heir.settled({ predictionsLogged: 600, shadowLogged: 600, recordsLogged: 600, joined: 600, waiting: 0, labelsSeen: 900, duplicateLabels: 300 });
    await heir.settled({ repeatedPredictions: 0 });
    const outcomes = await eventually('all predictions in outcomes', async () => {
      const seen = await room.outcomes(600);
      return seen.flatMap(({ data }) => data.predictions).length >= 1_200 ? seen : undefined;
    });
    const joined = outcomes.flatMap(({ data }) => data.predictions.map(({ predictionId }) => predictionId));
    expect(joined).toHaveLength(1_200);
    expect(new Set(joined).size).toBe(1_200);
    expect(new Set(outcomes.map(({ id }) => id)).size).toBe(outcomes.length);
  });
});
