/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: a route with several candidates gives each its own stretch of the units and shows every one that listens what the champion
//   answers; each answer and each shadow answer names who gave it, under an id of its own.
// Method: the whole Nest service with real ONNX models, whose intercepts tell who answered; the split as `planRoute` says.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { PredictionServed, RouteChanged } from '@millrace/contracts';
import { planRoute } from '@millrace/core/inference';
import { eventually } from '@millrace/testing';
import { model, openGateway, probability, Ring, type Gateway } from './gateway.fixture.js';

const intercepts: Readonly<Record<string, number>> = { v1: 0, v2: 1, v3: -1, v4: 0.5 };
const units = Array.from({ length: 200 }, (_, index) => `r${index}`);

let ring: Ring;
let gateway: Gateway;

beforeEach(async () => {
  ring = await Ring.open();
});
afterEach(async () => {
  await gateway.stop();
  ring.close();
});

async function routed(shares: Readonly<Record<string, { share: number; from?: number; mirror?: boolean }>>): Promise<Pick<RouteChanged, 'champion' | 'candidate' | 'beside' | 'salt'>> {
  const target = (version: string) => ring.target(version, intercepts[version] ?? NaN);
  const tried = await Promise.all(Object.entries(shares).map(async ([version, { mirror = false, ...place }]) => ({ ...(await target(version)), ...place, mirror, rolloutId: `${model}.${version}.1`, step: 'ab' })));
  const [candidate = null, ...beside] = tried;
  const route = { champion: await target('v1'), candidate, beside, salt: 'spec' };
  await ring.announceRoute({ ...route, phase: 'ab' });
  gateway = await openGateway(ring);
  return route;
}

async function logged(count: number): Promise<PredictionServed[]> {
  await gateway.predict(units.map((id) => ({ id, features: { distance: 1.5, carrier: 'AA' } })));
  return eventually(`${count} answers are logged`, async () => {
    const all = await ring.logged();
    return all.length === count && all;
  });
}

describe('several candidates at once', () => {
  it('answer the units of their own stretch, and the champion the rest', async () => {
    const route = await routed({ v2: { share: 0.25, from: 0.5 }, v3: { share: 0.1 }, v4: { share: 0.2, from: 0.25 } });
    const answers = await logged(units.length);
    for (const { recordId, version, arm, armProbability, output } of answers) {
      const planned = planRoute<{ version: string }>(route, recordId);
      expect({ recordId, version, arm }).toEqual({ recordId, version: planned.primary.version, arm: planned.arm });
      expect(armProbability).toBeCloseTo({ v1: 0.45, v2: 0.25, v3: 0.1, v4: 0.2 }[version] ?? NaN, 12);
      expect(output.probability).toBeCloseTo(probability(intercepts[version] ?? NaN, 1.5, 'AA'), 5);
    }
    expect(new Set(answers.map(({ version }) => version))).toEqual(new Set(['v1', 'v2', 'v3', 'v4']));
  });

  it('that listen see what the champion answers, each under an id of its own; not what another candidate does', async () => {
    const route = await routed({ v2: { share: 0, mirror: true }, v3: { share: 0.3 }, v4: { share: 0, mirror: true } });
    const byChampion = units.filter((unit) => planRoute(route, unit).arm === 'champion');
    const answers = await logged(units.length + 2 * byChampion.length);
    const shadows = answers.filter(({ role }) => role === 'shadow');
    for (const version of ['v2', 'v4']) {
      const own = shadows.filter((each) => each.version === version);
      expect(own.map(({ recordId }) => recordId).sort()).toEqual([...byChampion].sort());
      for (const { output } of own) expect(output.probability).toBeCloseTo(probability(intercepts[version] ?? NaN, 1.5, 'AA'), 5);
    }
    expect(new Set(answers.map(({ predictionId }) => predictionId)).size).toBe(answers.length);
  });
});
