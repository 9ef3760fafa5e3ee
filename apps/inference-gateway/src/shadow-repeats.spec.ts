/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: in shadow the champion is asked a second time for a part of the requests, and what it differs from itself is logged
//   beside the candidate’s answer: a noisy champion makes no difference of a candidate that is the same model, and hides none
//   of one that is not. Nobody takes the second answer for a prediction.
// Method: the whole Nest service with an ONNX model that draws its noise each time it runs; the difference as guards judge it.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PredictionServed, RouteTarget } from '@millrace/contracts';
import { answerDifferenceOf, answerDistance, observeAnswers, startAnswerDifference } from '@millrace/core/rollout';
import { noisyModel } from '@millrace/model-runtime/testing';
import { eventually } from '@millrace/testing';
import { openGateway, Ring, spec, type Gateway } from './gateway.fixture.js';

const noise = 0.01;
const requests = 600;
const signature: RouteTarget['signature'] = { inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }], outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1] }], task: 'regression', classes: [], positiveIndex: null };

let ring: Ring;
let gateway: Gateway | undefined;

beforeEach(async () => {
  ring = await Ring.open();
});
afterEach(async () => {
  await gateway?.stop();
  gateway = undefined;
  ring.close();
});

const target = async (version: string, shift: number): Promise<RouteTarget> => ({ version, artifact: await ring.storage.artifacts.put(noisyModel(noise, shift)), signature });

/** The candidate’s shadow answers, after so many requests that the champion has answered. */
async function shadowed(candidateShift: number, repeatShare: number): Promise<PredictionServed[]> {
  const { rollout } = spec.spec;
  await ring.announceSpec(undefined, { features: [{ name: 'x', type: 'number' }], rollout: { ...rollout, shadow: { ...rollout.shadow, repeatShare } } });
  await ring.announceRoute({ phase: 'shadow', champion: await target('v1', 0), candidate: { ...(await target('v2', candidateShift)), share: 0, mirror: true } });
  gateway = await openGateway(ring);
  for (let start = 0; start < requests; start += 100) await gateway.predict(Array.from({ length: 100 }, (_, index) => ({ id: `r${start + index}`, features: { x: index } })));
  const logged = await eventually('every answer is shadowed', async () => {
    const all = await ring.logged();
    return all.length === 2 * requests && all;
  }, 120_000);
  expect(logged.filter(({ role, compared }) => role === 'primary' && compared !== undefined)).toEqual([]);
  return logged.filter(({ role }) => role === 'shadow');
}

function judged(shadows: readonly PredictionServed[]) {
  const state = startAnswerDifference(0.05);
  for (const { output, compared } of shadows) {
    if (compared === undefined) continue;
    observeAnswers(state, { difference: answerDistance(output, compared.champion) ?? NaN, noise: answerDistance(compared.again, compared.champion) ?? NaN });
  }
  return answerDifferenceOf(state);
}

describe('asking the champion again', () => {
  it('finds nothing against the same model, though nearly no two answers are the same', async () => {
    const shadows = await shadowed(0, 1);
    expect(shadows.filter(({ output, compared }) => compared !== undefined && output.value !== compared.champion.value && compared.again.value !== compared.champion.value).length).toBeGreaterThan(0.9 * requests);
    const found = judged(shadows);
    expect(found.asked).toBe(requests);
    // Two draws from [0, noise] are further apart than 0.9 of it in one of a hundred cases; buckets of 2 % and chance widen that.
    expect(found.noise).toBeGreaterThan(0.7 * noise);
    expect(found.noise).toBeLessThanOrEqual(1.02 * noise);
    expect(found.low).toBeLessThanOrEqual(0);
  });

  it('finds a candidate that answers otherwise by twice the noise', async () => {
    const found = judged(await shadowed(2 * noise, 1));
    expect(found.mean).toBeGreaterThan(0.9);
    expect(found.low).toBeGreaterThan(0.8);
  });

  it('asks again for a part of the requests only, which their ids draw', async () => {
    const asked = (await shadowed(0, 0.3)).filter(({ compared }) => compared !== undefined).length;
    // 180 ± 11 at one standard deviation: five of them.
    expect(Math.abs(asked - 0.3 * requests)).toBeLessThan(56);
  });
});
