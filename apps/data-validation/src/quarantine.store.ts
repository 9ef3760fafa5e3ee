import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { RecordQuarantined } from '@millrace/contracts';
import { inTransaction, query, type Transaction } from '@millrace/persistence';
import type { RecordKind, Violation } from './contracts-in-force.js';
import { printable } from './quality.store.js';

export type QuarantineStatus = 'waiting' | 'replayed';

export interface QuarantineItem {
  readonly id: string;
  readonly stream: string;
  readonly kind: RecordKind;
  readonly recordId: string;
  readonly eventTime: string;
  readonly contractVersion: string;
  readonly violations: readonly Violation[];
  readonly value: Record<string, unknown>;
  readonly origin: RecordQuarantined['origin'];
  readonly accepted: RecordQuarantined['accepted'];
  readonly status: QuarantineStatus;
  readonly quarantinedAt: string;
  readonly replayedAt: string | null;
}

/** Which items: `from` and `to` bound the event time, [from, to). */
export interface QuarantineSelection {
  readonly stream: string;
  readonly status?: QuarantineStatus | undefined;
  readonly rule?: string | undefined;
  readonly field?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

interface QuarantineRow {
  seq: string;
  id: string;
  stream: string;
  kind: RecordKind;
  record_id: string;
  event_time: Date;
  contract_version: string;
  violations: Violation[];
  value: Record<string, unknown>;
  origin: RecordQuarantined['origin'];
  accepted: RecordQuarantined['accepted'];
  status: QuarantineStatus;
  quarantined_at: Date;
  replayed_at: Date | null;
}

const columns = 'seq, id, stream, kind, record_id, event_time, contract_version, violations, value, origin, accepted, status, quarantined_at, replayed_at';

function itemOf(row: QuarantineRow): QuarantineItem {
  return {
    id: row.id,
    stream: row.stream,
    kind: row.kind,
    recordId: row.record_id,
    eventTime: row.event_time.toISOString(),
    contractVersion: row.contract_version,
    violations: row.violations,
    value: row.value,
    origin: row.origin,
    accepted: row.accepted,
    status: row.status,
    quarantinedAt: row.quarantined_at.toISOString(),
    replayedAt: row.replayed_at?.toISOString() ?? null,
  };
}

/** `rule|field` of each violation, so that a filter needs no look into JSON. */
function rulesOf(violations: readonly Violation[]): string[] {
  return [...new Set(violations.map(({ rule, field }) => printable(`${rule}|${field}`)))];
}

/** SQL condition and its parameters. */
function conditionOf({ stream, status, rule, field, from, to }: QuarantineSelection): { where: string; parameters: unknown[] } {
  const parameters: unknown[] = [stream];
  const parts = ['stream = $1'];
  const add = (part: (place: string) => string, value: unknown) => {
    if (value === undefined) return;
    parameters.push(value);
    parts.push(part(`$${parameters.length}`));
  };
  add((place) => `status = ${place}`, status);
  add((place) => `event_time >= ${place}::timestamptz`, from);
  add((place) => `event_time < ${place}::timestamptz`, to);
  add((place) => `EXISTS (SELECT 1 FROM unnest(rules) AS broken WHERE split_part(broken, '|', 1) = ${place})`, rule);
  add((place) => `EXISTS (SELECT 1 FROM unnest(rules) AS broken WHERE split_part(broken, '|', 2) = ${place})`, field);
  return { where: parts.join(' AND '), parameters };
}

@Injectable()
export class QuarantineStore {
  constructor(private readonly database: DataSource) {}

  /** The id follows from where the record was accepted, so that an item can exist only once. */
  async keep(transaction: Transaction, items: readonly RecordQuarantined[]): Promise<void> {
    await transaction.query(
      `INSERT INTO quarantine (id, stream, kind, record_id, event_time, contract_version, violations, rules, value, origin, accepted, status, quarantined_at)
       SELECT id, stream, kind, record_id, event_time, version, violations, ARRAY(SELECT json_array_elements_text(rules)), value, origin, accepted, 'waiting', quarantined_at
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::json[], $8::json[], $9::json[], $10::json[], $11::json[], $12::timestamptz[])
         WITH ORDINALITY AS row(id, stream, kind, record_id, event_time, version, violations, rules, value, origin, accepted, quarantined_at, n) ORDER BY n
       ON CONFLICT (id) DO NOTHING`,
      [
        items.map(({ accepted }) => `${accepted.partition}-${accepted.offset}`),
        items.map(({ stream }) => stream),
        items.map(({ kind }) => kind),
        items.map(({ recordId }) => recordId),
        items.map(({ eventTime }) => eventTime),
        items.map(({ contractVersion }) => contractVersion),
        items.map(({ violations }) => JSON.stringify(violations)),
        items.map(({ violations }) => JSON.stringify(rulesOf(violations as Violation[]))),
        items.map(({ value }) => JSON.stringify(value)),
        items.map(({ origin }) => JSON.stringify(origin)),
        items.map(({ accepted }) => JSON.stringify(accepted)),
        items.map(({ quarantinedAt }) => quarantinedAt),
      ],
    );
  }

  async list(selection: QuarantineSelection, limit: number): Promise<{ total: number; byRule: { rule: string; field: string; count: number }[]; items: QuarantineItem[] }> {
    const { where, parameters } = conditionOf(selection);
    const [counted] = await query<{ total: string }>(this.database, `SELECT count(*) AS total FROM quarantine WHERE ${where}`, parameters);
    const rules = await query<{ broken: string; count: string }>(
      this.database,
      `SELECT broken, count(*) AS count FROM quarantine, unnest(rules) AS broken WHERE ${where} GROUP BY broken ORDER BY count(*) DESC, broken LIMIT 50`,
      parameters,
    );
    const rows = await query<QuarantineRow>(this.database, `SELECT ${columns} FROM quarantine WHERE ${where} ORDER BY seq LIMIT ${limit}`, parameters);
    return {
      total: Number(counted?.total ?? 0),
      byRule: rules.map(({ broken, count }) => ({ rule: broken.split('|', 1)[0] ?? '', field: broken.slice(broken.indexOf('|') + 1), count: Number(count) })),
      items: rows.map(itemOf),
    };
  }

  /** Waiting items after `afterSeq`, without a lock: for a dry run. */
  async waiting(selection: QuarantineSelection, afterSeq: number, limit: number): Promise<{ items: QuarantineItem[]; lastSeq: number }> {
    return page(await query<QuarantineRow>(this.database, ...pageQuery(selection, afterSeq, limit, '')));
  }

  /** Waiting items after `afterSeq`, locked until the transaction ends; items that another replay holds are passed over. */
  async claim(transaction: Transaction, selection: QuarantineSelection, afterSeq: number, limit: number): Promise<{ items: QuarantineItem[]; lastSeq: number }> {
    return page(await transaction.query<QuarantineRow>(...pageQuery(selection, afterSeq, limit, 'FOR UPDATE SKIP LOCKED')));
  }

  async markReplayed(transaction: Transaction, ids: readonly string[], fixSha256: string | null, replayedAt: string): Promise<number> {
    const rows = await transaction.query(
      `UPDATE quarantine SET status = 'replayed', replayed_at = $2, fix_sha256 = $3 WHERE id = ANY($1::text[]) AND status = 'waiting' RETURNING id`,
      [ids, replayedAt, fixSha256],
    );
    return rows.length;
  }

  async transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return inTransaction(this.database, work);
  }

  async waitingCounts(): Promise<{ stream: string; kind: string; count: number }[]> {
    const rows = await query<{ stream: string; kind: string; count: string }>(
      this.database,
      `SELECT stream, kind, count(*) FILTER (WHERE status = 'waiting') AS count FROM quarantine GROUP BY stream, kind`,
    );
    return rows.map((row) => ({ ...row, count: Number(row.count) }));
  }
}

function pageQuery(selection: QuarantineSelection, afterSeq: number, limit: number, lock: string): [string, unknown[]] {
  const { where, parameters } = conditionOf({ ...selection, status: 'waiting' });
  return [`SELECT ${columns} FROM quarantine WHERE ${where} AND seq > ${Math.trunc(afterSeq)} ORDER BY seq LIMIT ${Math.trunc(limit)} ${lock}`, parameters];
}

function page(rows: readonly QuarantineRow[]): { items: QuarantineItem[]; lastSeq: number } {
  return { items: rows.map(itemOf), lastSeq: Number(rows[rows.length - 1]?.seq ?? 0) };
}
