import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { BatchJudged, RuleCount } from '@millrace/contracts';
import { query, type Transaction } from '@millrace/persistence';
import type { RecordKind } from './contracts-in-force.js';

export interface QualityDay {
  readonly stream: string;
  readonly kind: RecordKind;
  readonly contractVersion: string;
  /** UTC, YYYY-MM-DD. */
  readonly day: string;
  readonly judged: number;
  readonly quarantined: number;
  readonly eventTimeMin: string;
  readonly eventTimeMax: string;
}

interface QualityRow {
  stream: string;
  kind: RecordKind;
  contract_version: string;
  day: string;
  judged: string;
  quarantined: string;
  event_time_min: Date;
  event_time_max: Date;
}

type OffsetRange = BatchJudged['offsets'];

const dayColumns = `stream, kind, contract_version, to_char(day, 'YYYY-MM-DD') AS day, judged, quarantined, event_time_min, event_time_max`;

function dayOf(row: QualityRow): QualityDay {
  return {
    stream: row.stream,
    kind: row.kind,
    contractVersion: row.contract_version,
    day: row.day,
    judged: Number(row.judged),
    quarantined: Number(row.quarantined),
    eventTimeMin: row.event_time_min.toISOString(),
    eventTimeMax: row.event_time_max.toISOString(),
  };
}

/** Quality history: how many of each event day were judged and quarantined, by which rules, in which offsets. */
@Injectable()
export class QualityStore {
  constructor(private readonly database: DataSource) {}

  /** Adds what batches tell; answers the days they touched as they stand now. */
  async add(transaction: Transaction, batches: readonly BatchJudged[]): Promise<QualityDay[]> {
    const entries = batches.flatMap((batch) => batch.days.map((day) => ({ batch, day })));
    const place = [entries.map(({ batch }) => batch.stream), entries.map(({ batch }) => batch.kind), entries.map(({ batch }) => batch.contractVersion), entries.map(({ day }) => day.day)];
    const rows = await transaction.query<QualityRow>(
      `INSERT INTO quality_day (stream, kind, contract_version, day, judged, quarantined, event_time_min, event_time_max)
       SELECT stream, kind, version, day, sum(judged), sum(quarantined), min(time_min), max(time_max)
       FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::timestamptz[])
         AS row(stream, kind, version, day, judged, quarantined, time_min, time_max)
       GROUP BY stream, kind, version, day ORDER BY stream, kind, version, day
       ON CONFLICT (stream, kind, contract_version, day) DO UPDATE SET
         judged = quality_day.judged + excluded.judged,
         quarantined = quality_day.quarantined + excluded.quarantined,
         event_time_min = least(quality_day.event_time_min, excluded.event_time_min),
         event_time_max = greatest(quality_day.event_time_max, excluded.event_time_max)
       RETURNING ${dayColumns}`,
      [...place, entries.map(({ day }) => day.judged), entries.map(({ day }) => day.quarantined), entries.map(({ day }) => day.eventTimeMin), entries.map(({ day }) => day.eventTimeMax)],
    );
    await this.addRules(transaction, entries);
    await this.addRanges(transaction, entries, place);
    return rows.map(dayOf);
  }

  private async addRules(transaction: Transaction, entries: readonly { batch: BatchJudged; day: BatchJudged['days'][number] }[]): Promise<void> {
    const rules = entries.flatMap(({ batch, day }) => day.rules.map((rule) => ({ batch, day, rule })));
    if (rules.length === 0) return;
    await transaction.query(
      `INSERT INTO quality_rule (stream, kind, contract_version, day, rule, field, count)
       SELECT stream, kind, version, day, rule, field, sum(count)
       FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::text[], $6::text[], $7::bigint[]) AS row(stream, kind, version, day, rule, field, count)
       GROUP BY stream, kind, version, day, rule, field ORDER BY stream, kind, version, day, rule, field
       ON CONFLICT (stream, kind, contract_version, day, rule, field) DO UPDATE SET count = quality_rule.count + excluded.count`,
      [
        rules.map(({ batch }) => batch.stream),
        rules.map(({ batch }) => batch.kind),
        rules.map(({ batch }) => batch.contractVersion),
        rules.map(({ day }) => day.day),
        rules.map(({ rule }) => printable(rule.rule)),
        rules.map(({ rule }) => printable(rule.field)),
        rules.map(({ rule }) => rule.count),
      ],
    );
  }

  private async addRanges(transaction: Transaction, entries: readonly { batch: BatchJudged }[], place: readonly string[][]): Promise<void> {
    await transaction.query(
      `INSERT INTO quality_range (stream, kind, contract_version, day, topic, partition, from_offset, to_offset)
       SELECT stream, kind, version, day, topic, partition, min(from_offset), max(to_offset)
       FROM unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::text[], $6::int[], $7::bigint[], $8::bigint[]) AS row(stream, kind, version, day, topic, partition, from_offset, to_offset)
       GROUP BY stream, kind, version, day, topic, partition ORDER BY stream, kind, version, day, topic, partition
       ON CONFLICT (stream, kind, contract_version, day, topic, partition) DO UPDATE SET
         from_offset = least(quality_range.from_offset, excluded.from_offset), to_offset = greatest(quality_range.to_offset, excluded.to_offset)`,
      [...place, entries.map(({ batch }) => batch.offsets.topic), entries.map(({ batch }) => batch.offsets.partition), entries.map(({ batch }) => batch.offsets.fromOffset), entries.map(({ batch }) => batch.offsets.toOffset)],
    );
  }

  /** True for the first call per stream, contract version and day; false ever after. */
  async markBroken(transaction: Transaction, day: QualityDay, brokenAt: string): Promise<boolean> {
    const rows = await transaction.query(
      `INSERT INTO contract_breach (stream, contract_version, day, judged, quarantined, broken_at) VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT DO NOTHING RETURNING stream`,
      [day.stream, day.contractVersion, day.day, day.judged, day.quarantined, brokenAt],
    );
    return rows.length === 1;
  }

  /** The rules broken most on a day, and the offsets its records came from. */
  async evidence(transaction: Transaction, day: QualityDay, limit: number): Promise<{ rules: RuleCount[]; offsets: OffsetRange[] }> {
    const place = [day.stream, day.kind, day.contractVersion, day.day];
    const where = 'stream = $1 AND kind = $2 AND contract_version = $3 AND day = $4';
    const rules = await transaction.query<{ rule: string; field: string; count: string }>(`SELECT rule, field, count FROM quality_rule WHERE ${where} ORDER BY count DESC, rule, field LIMIT $5`, [...place, limit]);
    const ranges = await transaction.query<{ topic: string; partition: number; from_offset: string; to_offset: string }>(`SELECT topic, partition, from_offset, to_offset FROM quality_range WHERE ${where} ORDER BY topic, partition`, place);
    return {
      rules: rules.map(({ rule, field, count }) => ({ rule, field, count: Number(count) })),
      offsets: ranges.map(({ topic, partition, from_offset, to_offset }) => ({ topic, partition, fromOffset: Number(from_offset), toOffset: Number(to_offset) })),
    };
  }

  async history(stream: string, limit: number): Promise<QualityDay[]> {
    const rows = await query<QualityRow>(this.database, `SELECT ${dayColumns} FROM quality_day WHERE stream = $1 ORDER BY quality_day.day DESC, kind, contract_version LIMIT $2`, [stream, limit]);
    return rows.map(dayOf);
  }
}

/** PostgreSQL text holds no NUL; a field’s name may come from a producer. */
export function printable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
