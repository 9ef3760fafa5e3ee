import { setTimeout as wait } from 'node:timers/promises';
import { Pool } from 'undici';
import type { LogProducer, OutgoingMessage } from '@millrace/messaging';
import { isBadDay, spoil } from './bad-release.js';
import type { Departure, FlightEvent, FlightEvents } from './flight-events.js';

export interface TrafficCounts {
  records: number;
  labels: number;
  spoilt: number;
  cutOff: number;
  asked: number;
  answered: number;
  retried: number;
}

const chunkEvents = 600;
const cutOffEvery = 97;
const giveUpAfterMs = 60_000;

/**
 * The world outside Millrace: two teams that publish, and an application that asks for a prediction before each
 * departure. Events go out in event-time order on compressed time; nothing here knows what Millrace makes of them.
 */
export class Traffic {
  readonly counts: TrafficCounts = { records: 0, labels: 0, spoilt: 0, cutOff: 0, asked: 0, answered: 0, retried: 0 };
  readonly latenciesMs: number[] = [];
  readonly answeredBy = new Map<string, number>();
  lastPredictionId = '';
  now = '';
  private readonly pool: Pool;
  private spoiltSoFar = 0;

  constructor(
    private readonly flights: FlightEvents,
    private readonly producer: LogProducer,
    gateway: string,
    private readonly model: string,
    private readonly features: readonly string[],
  ) {
    this.pool = new Pool(gateway, { connections: 24, pipelining: 1 });
  }

  async close(): Promise<void> {
    await this.pool.close();
  }

  /** Sends the next chunk of what happened before `before`; false when nothing is left. `ask`: the application is live. */
  async advance(before: string, ask: boolean): Promise<boolean> {
    const events = await this.flights.take(chunkEvents, before);
    const last = events[events.length - 1];
    if (last === undefined) return false;
    const departures = events.filter(({ kind }) => kind === 'departure');
    await Promise.all([this.publish(events), ask ? this.askAll(departures) : Promise.resolve()]);
    this.now = last.t;
    return true;
  }

  private async publish(events: readonly FlightEvent[]): Promise<void> {
    const messages: OutgoingMessage[] = events.map((event) => (event.kind === 'departure' ? this.departure(event.value) : this.arrival(event)));
    await this.producer.send(messages);
  }

  private departure(value: Departure): OutgoingMessage {
    this.counts.records += 1;
    const message = { topic: 'flights.departures', key: value.flight_id, headers: { 'content-type': 'application/json' } };
    if (!isBadDay(value.event_time)) return { ...message, value: Buffer.from(JSON.stringify(value)) };
    this.spoiltSoFar += 1;
    const text = JSON.stringify(spoil(value));
    if (this.spoiltSoFar % cutOffEvery === 0) {
      this.counts.cutOff += 1;
      return { ...message, value: Buffer.from(text.slice(0, text.length >> 1)) };
    }
    this.counts.spoilt += 1;
    return { ...message, value: Buffer.from(text) };
  }

  private arrival({ value }: FlightEvent): OutgoingMessage {
    this.counts.labels += 1;
    return { topic: 'flights.arrivals', key: value.flight_id, headers: { 'content-type': 'application/json' }, value: Buffer.from(JSON.stringify(value)) };
  }

  private async askAll(departures: readonly FlightEvent[]): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let event = departures[next++]; event !== undefined; event = departures[next++]) await this.ask(event.value);
    };
    await Promise.all(Array.from({ length: 24 }, worker));
  }

  /** One question for one flight. A gateway that is away for a moment is asked again, as any client with retries would. */
  private async ask(flight: Departure): Promise<void> {
    const features: Record<string, unknown> = {};
    for (const name of this.features) features[name] = flight[name] ?? null;
    const body = JSON.stringify({ instances: [{ id: flight.flight_id, eventTime: flight.event_time, features }] });
    this.counts.asked += 1;
    const deadline = Date.now() + giveUpAfterMs;
    for (;;) {
      const start = performance.now();
      const failure = await this.attempt(body).catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
      if (failure === null) {
        this.latenciesMs.push(performance.now() - start);
        return;
      }
      if (Date.now() > deadline) throw new Error(`the gateway gave no answer for ${flight.flight_id} within ${giveUpAfterMs / 1000} s: ${failure}`);
      this.counts.retried += 1;
      await wait(100);
    }
  }

  private async attempt(body: string): Promise<string | null> {
    const response = await this.pool.request({ method: 'POST', path: `/v1/models/${this.model}/predict`, headers: { 'content-type': 'application/json' }, body });
    const text = await response.body.text();
    if (response.statusCode !== 200) {
      if (response.statusCode < 500) throw new Error(`the gateway refused a question with ${response.statusCode}: ${text}`);
      return `${response.statusCode} ${text.slice(0, 200)}`;
    }
    const answer = (JSON.parse(text) as { predictions: { predictionId: string; version: string }[] }).predictions[0];
    if (answer === undefined) return 'an answer without a prediction';
    this.counts.answered += 1;
    this.answeredBy.set(answer.version, (this.answeredBy.get(answer.version) ?? 0) + 1);
    this.lastPredictionId = answer.predictionId;
    return null;
  }
}
