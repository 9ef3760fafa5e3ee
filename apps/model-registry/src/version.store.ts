import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { GateResult, Metric, ModelSignature, ReferenceProfile, VersionRegistered } from '@millrace/contracts';
import { query, type Transaction } from '@millrace/persistence';

/** A version with what the event does not tell: who registered it and whether its file can still be trusted. */
export interface StoredVersion extends VersionRegistered {
  readonly state: 'registered' | 'corrupt';
  readonly by: string;
  readonly reason: string;
}

interface VersionRow {
  readonly model: string;
  readonly version: number;
  readonly state: 'registered' | 'corrupt';
  readonly source: 'pipeline' | 'manual';
  readonly run_id: string | null;
  readonly dataset_version: string | null;
  readonly spec_revision: number;
  readonly artifact_sha256: string;
  readonly artifact_size_bytes: string;
  readonly signature: ModelSignature;
  readonly metrics: Metric[];
  readonly gate: GateResult;
  readonly reference: ReferenceProfile | null;
  readonly registered_by: string;
  readonly reason: string;
  readonly registered_at: Date;
}

@Injectable()
export class VersionStore {
  constructor(private readonly database: DataSource) {}

  async list(model: string): Promise<StoredVersion[]> {
    const rows = await query<VersionRow>(this.database, 'SELECT * FROM model_version WHERE model = $1 ORDER BY version', [model]);
    return rows.map(versionOf);
  }

  async find(model: string, version: string): Promise<StoredVersion | undefined> {
    const [row] = await query<VersionRow>(this.database, 'SELECT * FROM model_version WHERE model = $1 AND version::text = $2', [model, version]);
    return row === undefined ? undefined : versionOf(row);
  }

  /** "1", "2", … per model without gaps: writers of one model take turns until their transaction ends. */
  async nextVersion(transaction: Transaction, model: string): Promise<string> {
    await transaction.query(`SELECT pg_advisory_xact_lock(hashtextextended('version/' || $1, 0))`, [model]);
    const [row] = await transaction.query<{ next: number }>('SELECT coalesce(max(version), 0) + 1 AS next FROM model_version WHERE model = $1', [model]);
    return String(row?.next ?? 1);
  }

  async add(transaction: Transaction, version: StoredVersion): Promise<void> {
    await transaction.query(
      `INSERT INTO model_version (model, version, state, source, run_id, dataset_version, spec_revision, artifact_sha256, artifact_size_bytes,
                                  signature, metrics, gate, reference, registered_by, reason, registered_at)
       VALUES ($1, $2::integer, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
      [
        version.model, version.version, version.state, version.source, version.runId, version.datasetVersion, version.specRevision,
        version.artifact.sha256, version.artifact.sizeBytes, JSON.stringify(version.signature), JSON.stringify(version.metrics),
        JSON.stringify(version.gate), version.reference === null ? null : JSON.stringify(version.reference), version.by, version.reason, version.registeredAt,
      ],
    );
  }

  /** Every version that points at these bytes is marked; the mark is never taken back by itself. */
  async markCorrupt(artifactSha256: string): Promise<string[]> {
    const rows = await query<{ model: string; version: number }>(this.database, `UPDATE model_version SET state = 'corrupt' WHERE artifact_sha256 = $1 RETURNING model, version`, [artifactSha256]);
    return rows.map(({ model, version }) => `${model}/${version}`);
  }
}

function versionOf(row: VersionRow): StoredVersion {
  return {
    model: row.model,
    version: String(row.version),
    state: row.state,
    source: row.source,
    runId: row.run_id,
    datasetVersion: row.dataset_version,
    specRevision: row.spec_revision,
    artifact: { sha256: row.artifact_sha256, sizeBytes: Number(row.artifact_size_bytes) },
    signature: row.signature,
    metrics: row.metrics,
    gate: row.gate,
    reference: row.reference,
    by: row.registered_by,
    reason: row.reason,
    registeredAt: row.registered_at.toISOString(),
  };
}

/** The event that tells the ring of a version: without what only the registry keeps. */
export function registrationOf(version: StoredVersion): VersionRegistered {
  const { state: _state, by: _by, reason: _reason, ...event } = version;
  return event;
}
