import type { BatchJudged } from '@millrace/contracts';
import type { RecordKind, Violation } from './contracts-in-force.js';

interface DayTally {
  judged: number;
  quarantined: number;
  eventTimeMin: string;
  eventTimeMax: string;
  readonly rules: Map<string, { rule: string; field: string; count: number }>;
}

/** Counts what was judged of one stream and kind in one batch, per UTC day of the event times. */
export class BatchTally {
  judged = 0;
  quarantined = 0;
  private fromOffset = 0;
  private toOffset = 0;
  private readonly days = new Map<string, DayTally>();

  constructor(
    readonly stream: string,
    readonly kind: RecordKind,
    readonly contractVersion: string,
  ) {}

  /** Offsets come in ascending order; `eventTime` is ISO 8601 in UTC, so that texts compare as times do. */
  add(offset: number, eventTime: string, violations: readonly Violation[]): void {
    if (this.judged === 0) this.fromOffset = offset;
    this.toOffset = offset + 1;
    this.judged += 1;
    const day = this.dayOf(eventTime);
    day.judged += 1;
    if (eventTime < day.eventTimeMin) day.eventTimeMin = eventTime;
    if (eventTime > day.eventTimeMax) day.eventTimeMax = eventTime;
    if (violations.length === 0) return;
    this.quarantined += 1;
    day.quarantined += 1;
    for (const { rule, field } of violations) {
      const place = `${rule}|${field}`;
      const entry = day.rules.get(place);
      if (entry === undefined) day.rules.set(place, { rule, field, count: 1 });
      else entry.count += 1;
    }
  }

  toBatchJudged(topic: string, partition: number): BatchJudged {
    const { stream, kind, contractVersion, fromOffset, toOffset } = this;
    const days = [...this.days].map(([day, { rules, ...counts }]) => ({ day, ...counts, rules: [...rules.values()] }));
    return { stream, kind, contractVersion, offsets: { topic, partition, fromOffset, toOffset }, days };
  }

  private dayOf(eventTime: string): DayTally {
    const key = eventTime.slice(0, 10);
    let day = this.days.get(key);
    if (day === undefined) {
      day = { judged: 0, quarantined: 0, eventTimeMin: eventTime, eventTimeMax: eventTime, rules: new Map() };
      this.days.set(key, day);
    }
    return day;
  }
}
