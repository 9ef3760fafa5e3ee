import { predictionFailed, predictionServed, type PredictionFailed, type PredictionServed, type RouteChanged } from '@millrace/contracts';
import { encodeEvent, type OutgoingMessage } from '@millrace/messaging';
import { eventually } from '@millrace/testing';
import { RoutesUnderWay } from './routes-under-way.js';
import type { RolloutRing } from './rollouts.fixture.js';

export interface Failing {
  readonly champion?: boolean;
  readonly candidate?: boolean;
}

export interface Reading {
  readonly guard: string;
  readonly n: number;
  readonly evidence: number;
  readonly breached: boolean;
}

/** Plays the gateways of one model: one request each ten milliseconds, answered or failed under the route in force. */
export class GatewayTraffic {
  private number = 0;
  private atMs = Date.parse('2026-01-01T00:00:00Z');

  constructor(private readonly ring: RolloutRing) {}

  /** Waits until the controller knows the route as the gateways do. */
  async follow(): Promise<RouteChanged> {
    const route = await this.ring.route();
    const routes = this.ring.app.get(RoutesUnderWay);
    await eventually('the route is known', () => (route.candidate === null ? routes.of(route.model).length === 0 : routes.of(route.model)[0]?.revision === route.revision) || undefined);
    return route;
  }

  /** `count` requests under this route; in shadow the candidate is shown each that the champion has answered. */
  async send(route: RouteChanged, count: number, { champion = false, candidate = false }: Failing, change: { latencyMs?: number; probability?: number; unit?: string } = {}): Promise<OutgoingMessage[]> {
    const messages = Array.from({ length: count }, () => {
      this.number += 1;
      this.atMs += 10;
      const shadowed = route.candidate?.share === 0;
      const answering = route.candidate !== null && !shadowed && this.number % 2 === 0 ? 'candidate' : 'champion';
      const failing = { champion, candidate };
      const primary = this.tell(route, answering, 'primary', failing[answering], answering === 'candidate' ? change : {});
      return shadowed && !champion ? [primary, this.tell(route, 'candidate', 'shadow', candidate, change)] : [primary];
    }).flat();
    await this.ring.publish(messages);
    return messages;
  }

  async readings(rolloutId: string): Promise<Reading[]> {
    return (await this.ring.call('GET', `/v1/rollouts/${rolloutId}`)).body['guards'] as Reading[];
  }

  /** The guards have taken in so many requests of the step. */
  async seen(rolloutId: string, n: number): Promise<Reading> {
    return eventually(`${n} requests are judged`, async () => (await this.readings(rolloutId)).find((reading) => reading.guard === 'error-rate' && reading.n >= n));
  }

  private tell(route: RouteChanged, arm: 'champion' | 'candidate', role: 'primary' | 'shadow', failed: boolean, { latencyMs = 8, probability = 0.3, unit = `u-${this.number}` }: { latencyMs?: number; probability?: number; unit?: string }): OutgoingMessage {
    const servedAt = new Date(this.atMs).toISOString();
    const recordId = `record-${this.number}`;
    const version = (arm === 'champion' ? route.champion : (route.candidate ?? route.champion)).version;
    const base = { model: route.model, recordId, requestId: `q-${this.number}`, version, role, arm, unit, eventTime: servedAt, routeRevision: route.revision, armProbability: 0.5, servedAt };
    const options = { key: recordId, id: `${route.model}:${this.number}:${role}`, source: '/millrace/inference-gateway', time: servedAt };
    const failure: PredictionFailed = { ...base, code: 'MODEL_RUN_FAILED', reason: 'it broke', latencyMs };
    if (failed) return encodeEvent(predictionFailed, failure, { ...options, id: `${options.id}.failed` });
    const answer: PredictionServed = { ...base, predictionId: `p-${this.number}-${arm}`, output: { probability }, features: {}, latencyMs, ...(role === 'shadow' ? { runRows: 1 } : {}) };
    return encodeEvent(predictionServed, answer, options);
  }
}
