/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: the part of the answers that the spec asks for is explained afterwards and told, rightly and each once; nobody waits for it, and
//   what does not fit is counted.
// Method: the whole gateway over the memory log. A logistic regression, whose Shapley values against an unknown row are weight · (value −
//   what a missing one counts as); which answers are drawn follows from the hash of their ids, asked here again. Then the queue alone, before explanations
//   that never end, or never can.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MillraceError, predictionExplained, predictionServed, recordAdmitted, type PredictionExplained, type RecordAdmitted } from '@millrace/contracts';
import { positionOf } from '@millrace/core/inference';
import { eventually } from '@millrace/testing';
import type { ServingVersion } from '../data-plane/serving-version.js';
import { noAnswerLog } from '../data-plane/answer-log.js';
import { model, openGateway, Ring, spec, type Gateway } from '../gateway.fixture.js';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import { ExplainedAnswers } from './explained-answers.js';
import type { Explanations } from './explanations.js';

const drawn = (id: string, share: number): boolean => positionOf('explained', id) < share;
const serving = (share: number, more: object = {}) => ({ serving: { ...spec.spec.serving, ...more, explanations: { share } } });
const eventTime = '2013-03-01T10:15:00Z';

describe('the gateway', () => {
  let ring: Ring;
  let gateway: Gateway | undefined;
  beforeEach(async () => void (ring = await Ring.open()));
  afterEach(async () => {
    await gateway?.stop();
    gateway = undefined;
    ring.close();
  });

  const open = async (share: number, more: object = {}): Promise<Gateway> => {
    await ring.announceSpec(model, serving(share, more));
    await ring.announceRoute({ champion: await ring.target('v1', 0.1) });
    return (gateway = await openGateway(ring));
  };
  const ask = async (asked: Gateway, count: number): Promise<string[]> => {
    const instances = Array.from({ length: count }, (_, index) => ({ id: `f${index}`, eventTime, features: { distance: index / 10, carrier: index % 2 === 0 ? 'AA' : 'UA' } }));
    const { status, body } = await asked.predict(instances);
    expect(status).toBe(200);
    return (body['predictions'] as { predictionId: string }[]).map(({ predictionId }) => predictionId);
  };
  const explained = (count: number): Promise<PredictionExplained[]> =>
    eventually(`${count} explanations`, async () => {
      const events = await ring.events(predictionExplained);
      return events.length >= count ? events : undefined;
    });

  it('explains what is drawn, and nothing else, with the contributions of a logistic regression', async () => {
    const ids = await ask(await open(0.3), 200);
    const wanted = ids.filter((id) => drawn(id, 0.3));
    expect(wanted.length).toBeGreaterThan(20);
    const events = await explained(wanted.length);
    expect(events.map(({ predictionId }) => predictionId).sort()).toEqual([...wanted].sort());
    for (const { predictionId, recordId, contributions, base, output, ...rest } of events) {
      const index = ids.indexOf(predictionId);
      expect(rest).toMatchObject({ model, version: 'v1', eventTime, method: 'permutation', unit: 'log-odds', class: 'true' });
      expect(recordId).toBe(`f${index}`);
      expect(contributions).toEqual({ distance: expect.closeTo(0.5 * (index / 10 - 2), 4), carrier: expect.closeTo(index % 2 === 0 ? 1 : -1, 4) });
      expect(base + Object.values(contributions).reduce((sum, each) => sum + each, 0)).toBeCloseTo(output, 6);
    }
    expect(await ring.logged()).toHaveLength(200);
  });

  it('explains nothing where the spec asks for nothing, and follows the spec when it changes', async () => {
    const asked = await open(0);
    await ask(asked, 50);
    await ring.announceSpec(model, serving(1), 2);
    let asks = 0;
    await eventually('explanations', async () => {
      asks += 1;
      await ask(asked, 1);
      return (await ring.events(predictionExplained)).length > 0;
    });
    expect((await ring.events(predictionExplained)).length).toBeLessThanOrEqual(asks);
  });

  it('explains what was answered from a stream, under ids that follow from the log', async () => {
    await open(1, { stream: true });
    const records = Array.from({ length: 20 }, (_, index): RecordAdmitted => ({
      stream: 'flights', kind: 'record', recordId: `r${index}`, contractVersion: '1', eventTime, value: { distance: index, carrier: 'AA' }, origin: { via: 'kafka', topic: 'flights', partition: 0, offset: index }, replay: null,
    }));
    await (await ring.log.producer()).send(records.map((record) => ring.messaging().encode(recordAdmitted, record, { key: record.recordId })));
    const events = await explained(20);
    const served = await ring.events(predictionServed);
    expect(events.map(({ predictionId }) => predictionId).sort()).toEqual(served.map(({ predictionId }) => predictionId).sort());
  });
});

describe('the queue', () => {
  const counted = async (outcome: string, version: string): Promise<number> => {
    const { values } = await gatewayMetrics.explainedAnswers.get();
    return values.filter(({ labels }) => labels['outcome'] === outcome && labels['version'] === version).reduce((sum, { value }) => sum + value, 0);
  };
  const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const versionOf = (version: string): ServingVersion => ({ version, isTabular: true }) as unknown as ServingVersion;
  const explaining = (explain: Explanations['explain']): ExplainedAnswers => new ExplainedAnswers({ explain } as unknown as Explanations, noAnswerLog, silent, () => new Date());
  const offer = (answers: ExplainedAnswers, version: ServingVersion, count: number): void => {
    for (let index = 0; index < count; index += 1) answers.offer(version, { model, recordId: 'r', predictionId: `p${index}`, eventTime }, {}, undefined);
  };

  it('is bounded: while explanations do not come, a thousand wait and the rest is counted', async () => {
    let fail: (error: Error) => void = () => undefined;
    const answers = explaining(() => new Promise((_resolve, reject) => (fail = reject)));
    const version = versionOf('stuck');
    answers.share(model, 1);
    offer(answers, version, 1_500);
    expect(await counted('queue-full', 'stuck')).toBe(500);
    const stopped = answers.stop();
    await eventually('the run in hand', () => {
      fail(new Error('over'));
      return counted('stopped', 'stuck').then((count) => count > 0);
    });
    fail(new Error('over'));
    await stopped;
    expect((await counted('stopped', 'stuck')) + (await counted('failed', 'stuck'))).toBe(1_000);
  });

  it('gives a version up that cannot be explained, at its first run', async () => {
    let runs = 0;
    const answers = explaining(() => {
      runs += 1;
      return Promise.reject(new MillraceError('EXPLANATION_UNAVAILABLE', 'no trees, no background'));
    });
    const version = versionOf('opaque');
    answers.share(model, 1);
    offer(answers, version, 3);
    await eventually('the first run', async () => (await counted('unavailable', 'opaque')) === 3);
    offer(answers, version, 5);
    expect(await counted('unavailable', 'opaque')).toBe(8);
    expect(runs).toBe(1);
  });
});
