import { Injectable } from '@nestjs/common';
import type { AliasMoved, ContractBroken, ModelSignature, SegmentSealed, VerdictIssued, VersionRegistered } from '@millrace/contracts';
import type { ManifestSegment } from '@millrace/core/dataset';
import type { Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import type { Champion } from './plan.js';

export interface KnownVerdict {
  readonly verdictId: string;
  readonly reason: string;
}

export interface ContractBreak {
  readonly contractVersion: string;
  readonly eventTimeTo: Date;
  readonly share: number;
  readonly shareMax: number;
}

const positionOf = ({ topic, partition, offset }: { topic: string; partition: number; offset: number }): string => JSON.stringify({ topic, partition, offset });

/** What the ring has told that bears on training. Folds of different topics write different tables, so they never wait for each other. */
@Injectable()
export class EvidenceStore {
  async addSegments(transaction: Transaction, segments: readonly SegmentSealed[]): Promise<void> {
    await transaction.query(
      `INSERT INTO segment (topic, partition, from_offset, to_offset, stream, kind, rows, sha256, object_key, event_time_min, event_time_max)
       SELECT * FROM unnest($1::text[], $2::integer[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::integer[], $8::text[], $9::text[], $10::timestamptz[], $11::timestamptz[])
       ON CONFLICT DO NOTHING`,
      [
        segments.map(({ topic }) => topic), segments.map(({ partition }) => partition), segments.map(({ fromOffset }) => fromOffset),
        segments.map(({ toOffset }) => toOffset), segments.map(({ stream }) => stream), segments.map(({ kind }) => kind), segments.map(({ rows }) => rows),
        segments.map(({ sha256 }) => sha256), segments.map(({ objectKey }) => objectKey), segments.map(({ eventTimeMin }) => eventTimeMin), segments.map(({ eventTimeMax }) => eventTimeMax),
      ],
    );
  }

  async addVerdicts(transaction: Transaction, verdicts: readonly Received<VerdictIssued>[]): Promise<void> {
    for (const verdict of verdicts) {
      const { verdictId, revision = 1, model, version, kind, watermark } = verdict.data;
      const id = revision === 1 ? verdictId : `${verdictId}#${revision}`;
      await transaction.query('INSERT INTO verdict VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING', [id, model, version, kind, bearingOf(verdict.data), watermark, reasonOf(verdict.data), positionOf(verdict)]);
    }
  }

  async addBreak(transaction: Transaction, broken: Received<ContractBroken>): Promise<void> {
    const { stream, contractVersion, eventTimeTo, shareQuarantined, shareQuarantinedMax } = broken.data;
    await transaction.query(
      `INSERT INTO contract_break VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT (stream) DO UPDATE SET contract_version = $2, event_time_to = greatest(contract_break.event_time_to, $3), share = $4, share_max = $5, position = $6`,
      [stream, contractVersion, eventTimeTo, shareQuarantined, shareQuarantinedMax, positionOf(broken)],
    );
  }

  async addVersion(transaction: Transaction, { model, version, artifact, signature, metrics }: VersionRegistered): Promise<void> {
    await transaction.query('INSERT INTO model_version VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING', [model, version, artifact.sha256, JSON.stringify(signature), JSON.stringify(metrics)]);
  }

  async moveAlias(transaction: Transaction, { model, alias, to, routeRevision }: AliasMoved): Promise<void> {
    await transaction.query(
      `INSERT INTO alias VALUES ($1, $2, $3, $4)
       ON CONFLICT (model, alias) DO UPDATE SET version = $3, route_revision = $4 WHERE alias.route_revision <= $4`,
      [model, alias, to, routeRevision ?? 0],
    );
  }

  async segments(transaction: Transaction, stream: string): Promise<ManifestSegment[]> {
    const rows = await transaction.query<Omit<ManifestSegment, 'fromOffset' | 'toOffset'> & { from_offset: string; to_offset: string }>(
      'SELECT kind, topic, partition, from_offset, to_offset, rows, sha256 FROM segment WHERE stream = $1 ORDER BY kind, topic, partition, from_offset',
      [stream],
    );
    return rows.map(({ from_offset, to_offset, ...rest }) => ({ ...rest, fromOffset: Number(from_offset), toOffset: Number(to_offset) }));
  }

  /** Latest event time of anything archived or judged; null before the first segment. */
  async maxEventTime(transaction: Transaction, stream: string): Promise<Date | null> {
    const [row] = await transaction.query<{ latest: Date | null }>('SELECT max(event_time_max) AS latest FROM segment WHERE stream = $1', [stream]);
    return row?.latest ?? null;
  }

  async labelledRows(transaction: Transaction, stream: string): Promise<number> {
    const [row] = await transaction.query<{ rows: string | null }>(`SELECT sum(rows) AS rows FROM segment WHERE stream = $1 AND kind = 'label'`, [stream]);
    return Number(row?.rows ?? 0);
  }

  /** The last failed verdict of this kind on a version, issued after `since`. */
  async failedVerdict(transaction: Transaction, model: string, version: string, kind: VerdictIssued['kind'], since: Date | null): Promise<KnownVerdict | null> {
    const [row] = await transaction.query<{ verdict_id: string; reason: string }>(
      `SELECT verdict_id, reason FROM verdict WHERE model = $1 AND version = $2 AND kind = $3 AND outcome = 'failed' AND watermark > coalesce($4::timestamptz, '-infinity') ORDER BY watermark DESC LIMIT 1`,
      [model, version, kind, since],
    );
    return row === undefined ? null : { verdictId: row.verdict_id, reason: row.reason };
  }

  async contractBreak(transaction: Transaction, stream: string): Promise<ContractBreak | null> {
    const [row] = await transaction.query<{ contract_version: string; event_time_to: Date; share: number; share_max: number }>('SELECT contract_version, event_time_to, share, share_max FROM contract_break WHERE stream = $1', [stream]);
    return row === undefined ? null : { contractVersion: row.contract_version, eventTimeTo: row.event_time_to, share: row.share, shareMax: row.share_max };
  }

  async champion(transaction: Transaction, model: string): Promise<Champion | null> {
    const [row] = await transaction.query<{ version: string; artifact_sha256: string; signature: ModelSignature }>(
      `SELECT version, artifact_sha256, signature FROM alias JOIN model_version USING (model, version) WHERE model = $1 AND alias = 'champion'`,
      [model],
    );
    return row === undefined ? null : { version: row.version, artifactSha256: row.artifact_sha256, signature: row.signature };
  }
}

const aboutTraffic = new Set(['volume', 'freshness']);

/** What a verdict means for training: that too few rows came, or none, is no reason to learn anew. */
function bearingOf({ outcome, findings }: VerdictIssued): VerdictIssued['outcome'] {
  const failed = findings.filter((finding) => finding.outcome === 'failed');
  return outcome === 'failed' && failed.length > 0 && failed.every(({ subject }) => aboutTraffic.has(subject)) ? 'inconclusive' : outcome;
}

function reasonOf({ kind, version, window, findings, outcome }: VerdictIssued): string {
  const failed = findings.filter((finding) => finding.outcome === 'failed').map(({ subject, reason }) => `${subject}: ${reason}`);
  return `${kind} of version ${version} ${outcome} in ${window.from} to ${window.to}${failed.length === 0 ? '' : ` (${failed.slice(0, 5).join('; ')})`}`;
}
