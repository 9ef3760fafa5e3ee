import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { GateResult, ModelSignature, RouteChanged, RouteTarget, StepDecided, StepInputs, VersionRegistered } from '@millrace/contracts';
import { inTransaction, query, type Transaction } from '@millrace/persistence';
import { currentPlan, currentState, learnsUntilMs, type RolloutPlan, type RolloutState, type StoredPlan, type StoredState } from '@millrace/core/rollout';

export interface ModelRow {
  readonly model: string;
  readonly revision: number;
  readonly route: RouteChanged | null;
  /** Largest label event time seen: the stream clock of the model’s roll-outs. */
  readonly streamTime: string | null;
}

export interface VersionRow {
  readonly model: string;
  readonly version: string;
  readonly source: VersionRegistered['source'];
  readonly gate: GateResult['outcome'];
  readonly target: RouteTarget;
}

export type RolloutStatus = 'waiting' | 'active' | 'paused' | 'ended';

export interface RolloutRow {
  readonly rolloutId: string;
  readonly model: string;
  readonly candidateVersion: string;
  readonly championVersion: string | null;
  readonly status: RolloutStatus;
  readonly phase: string;
  /** Where its units begin on [0, 1): beside other candidates each has a stretch of its own. */
  readonly unitsFrom: number;
  /** By what it is judged, fixed when it began. */
  readonly plan: RolloutPlan | null;
  /** What `decideRollout` of libs/core keeps; null until the roll-out has begun. */
  readonly state: RolloutState | null;
  /** Steps told so far. */
  readonly sequence: number;
  /** Outcomes learnt so far. */
  readonly outcomes: number;
  readonly startedBy: string;
  readonly reason: string;
  readonly createdAt: string;
  readonly endedAt: string | null;
}

export type Step = Omit<StepDecided, 'model' | 'rolloutId' | 'candidateVersion' | 'championVersion'>;

const rolloutColumns = `rollout_id AS "rolloutId", model, candidate_version AS "candidateVersion", champion_version AS "championVersion", status, phase, units_from AS "unitsFrom", plan, state,
  sequence, outcomes::float8 AS outcomes, started_by AS "startedBy", reason, created_at AS "createdAt", ended_at AS "endedAt"`;
const instant = (value: Date | string | null): string | null => (value === null ? null : new Date(value).toISOString());

type StoredRollout = Omit<RolloutRow, 'createdAt' | 'endedAt' | 'plan' | 'state'> & { readonly createdAt: Date; readonly endedAt: Date | null; readonly plan: StoredPlan | null; readonly state: StoredState | null };

/** Plans and states of earlier releases are read as what they mean now. */
function rolloutOf({ plan: storedPlan, state, ...row }: StoredRollout): RolloutRow {
  const plan = storedPlan === null ? null : currentPlan(storedPlan);
  return { ...row, plan, state: state === null || plan === null ? null : currentState(state, plan.policy), createdAt: row.createdAt.toISOString(), endedAt: instant(row.endedAt) };
}

/** Everything of one model changes under the lock of its row, which `lockModel` takes and the transaction holds. */
@Injectable()
export class RolloutStore {
  constructor(private readonly database: DataSource) {}

  transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return inTransaction(this.database, work);
  }

  async lockModel(transaction: Transaction, model: string): Promise<ModelRow> {
    await transaction.query('INSERT INTO model (model) VALUES ($1) ON CONFLICT DO NOTHING', [model]);
    const [row] = await transaction.query<{ revision: string; route: RouteChanged | null; stream_time: Date | null }>('SELECT revision, route, stream_time FROM model WHERE model = $1 FOR UPDATE', [model]);
    return { model, revision: Number(row?.revision ?? 0), route: row?.route ?? null, streamTime: instant(row?.stream_time ?? null) };
  }

  async saveStreamTime(transaction: Transaction, model: string, streamTime: string): Promise<void> {
    await transaction.query('UPDATE model SET stream_time = greatest(stream_time, $2::timestamptz) WHERE model = $1', [model, streamTime]);
  }

  /** Compare-and-set on the revision. @throws Error when somebody else has changed the route; the caller’s transaction is then void. */
  async saveRoute(transaction: Transaction, route: RouteChanged): Promise<void> {
    const changed = await transaction.query('UPDATE model SET revision = $2, route = $3 WHERE model = $1 AND revision = $2 - 1 RETURNING model', [route.model, route.revision, JSON.stringify(route)]);
    if (changed.length !== 1) throw new Error(`the route of ${route.model} was changed by somebody else`);
  }

  /** False when the version was known already. */
  async addVersion(transaction: Transaction, event: VersionRegistered): Promise<boolean> {
    const added = await transaction.query(
      `INSERT INTO version (model, version, source, gate, artifact, signature, registered_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING version`,
      [event.model, event.version, event.source, event.gate.outcome, JSON.stringify(event.artifact), JSON.stringify(event.signature), event.registeredAt],
    );
    return added.length === 1;
  }

  async version(transaction: Transaction, model: string, version: string): Promise<VersionRow | undefined> {
    const [row] = await transaction.query<Omit<VersionRow, 'target'> & { artifact: RouteTarget['artifact']; signature: ModelSignature }>(
      'SELECT model, version, source, gate, artifact, signature FROM version WHERE model = $1 AND version = $2',
      [model, version],
    );
    if (row === undefined) return undefined;
    const { artifact, signature, ...rest } = row;
    return { ...rest, target: { version: row.version, artifact, signature } };
  }

  /** Those under way, oldest first: one, where the spec does not ask for several candidates at once. */
  async running(transaction: Transaction, model: string): Promise<RolloutRow[]> {
    return (await transaction.query<StoredRollout>(`SELECT ${rolloutColumns} FROM rollout WHERE model = $1 AND status IN ('active', 'paused') ORDER BY number`, [model])).map(rolloutOf);
  }

  /** Those that have ended and still learn from late labels, oldest first. */
  async learning(transaction: Transaction, model: string): Promise<RolloutRow[]> {
    return (await transaction.query<StoredRollout>(`SELECT ${rolloutColumns} FROM rollout WHERE model = $1 AND status = 'ended' AND learns_until IS NOT NULL ORDER BY number`, [model])).map(rolloutOf);
  }

  async get(transaction: Transaction, rolloutId: string): Promise<RolloutRow | undefined> {
    const [row] = await transaction.query<StoredRollout>(`SELECT ${rolloutColumns} FROM rollout WHERE rollout_id = $1`, [rolloutId]);
    return row === undefined ? undefined : rolloutOf(row);
  }

  async nextWaiting(transaction: Transaction, model: string): Promise<RolloutRow | undefined> {
    const [row] = await transaction.query<StoredRollout>(`SELECT ${rolloutColumns} FROM rollout WHERE model = $1 AND status = 'waiting' ORDER BY number LIMIT 1`, [model]);
    return row === undefined ? undefined : rolloutOf(row);
  }

  async countOf(transaction: Transaction, model: string, version: string): Promise<number> {
    const [row] = await transaction.query<{ count: string }>('SELECT count(*) FROM rollout WHERE model = $1 AND candidate_version = $2', [model, version]);
    return Number(row?.count ?? 0);
  }

  async add(transaction: Transaction, row: RolloutRow): Promise<void> {
    await transaction.query(
      `INSERT INTO rollout (rollout_id, model, candidate_version, champion_version, status, phase, units_from, plan, state, sequence, outcomes, started_by, reason, created_at, ended_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
      [row.rolloutId, row.model, row.candidateVersion, row.championVersion, row.status, row.phase, row.unitsFrom, json(row.plan), json(row.state), row.sequence, row.outcomes, row.startedBy, row.reason, row.createdAt, row.endedAt],
    );
  }

  async save(transaction: Transaction, row: RolloutRow): Promise<void> {
    await transaction.query(
      'UPDATE rollout SET champion_version = $2, status = $3, phase = $4, plan = $5, state = $6, sequence = $7, outcomes = $8, ended_at = $9, learns_until = to_timestamp($10::float8 / 1000), units_from = $11 WHERE rollout_id = $1',
      [row.rolloutId, row.championVersion, row.status, row.phase, json(row.plan), json(row.state), row.sequence, row.outcomes, row.endedAt, row.state === null ? null : learnsUntilMs(row.state), row.unitsFrom],
    );
  }

  async addStep(transaction: Transaction, rolloutId: string, step: Step): Promise<void> {
    await transaction.query(
      'INSERT INTO step (rollout_id, sequence, from_phase, to_phase, verdict, reason, evidence, decided_at, stream_time, inputs, revises) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)',
      [rolloutId, step.sequence, step.from, step.to, step.verdict, step.reason, JSON.stringify(step.evidence), step.decidedAt, step.streamTime, json(step.inputs ?? null), step.revises ?? null],
    );
  }

  async addNote(transaction: Transaction, note: { noteId: string; model: string; version: string; text: string; notedAt: string }): Promise<void> {
    await transaction.query('INSERT INTO note (note_id, model, version, text, noted_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING', [note.noteId, note.model, note.version, note.text, note.notedAt]);
  }

  /** Outside a transaction, for readers. */
  async modelOf(model: string): Promise<ModelRow | undefined> {
    const [row] = await query<{ revision: string; route: RouteChanged | null; stream_time: Date | null }>(this.database, 'SELECT revision, route, stream_time FROM model WHERE model = $1', [model]);
    return row === undefined ? undefined : { model, revision: Number(row.revision), route: row.route, streamTime: instant(row.stream_time) };
  }

  /** Newest first. */
  async list(model: string, limit: number): Promise<RolloutRow[]> {
    return (await query<StoredRollout>(this.database, `SELECT ${rolloutColumns} FROM rollout WHERE model = $1 ORDER BY number DESC LIMIT $2`, [model, limit])).map(rolloutOf);
  }

  async find(rolloutId: string): Promise<RolloutRow | undefined> {
    const [row] = await query<StoredRollout>(this.database, `SELECT ${rolloutColumns} FROM rollout WHERE rollout_id = $1`, [rolloutId]);
    return row === undefined ? undefined : rolloutOf(row);
  }

  async steps(rolloutId: string): Promise<Step[]> {
    const rows = await query<Omit<Step, 'decidedAt' | 'streamTime' | 'inputs' | 'revises'> & { decidedAt: Date; streamTime: Date | null; inputs: StepInputs | null; revises: number | null }>(
      this.database,
      `SELECT sequence, from_phase AS "from", to_phase AS "to", verdict, reason, evidence, decided_at AS "decidedAt", stream_time AS "streamTime", inputs, revises FROM step WHERE rollout_id = $1 ORDER BY sequence`,
      [rolloutId],
    );
    return rows.map(({ inputs, revises, ...row }) => ({ ...row, decidedAt: row.decidedAt.toISOString(), streamTime: instant(row.streamTime), ...(inputs === null ? {} : { inputs }), ...(revises === null ? {} : { revises }) }));
  }

  async notes(model: string, version: string): Promise<{ text: string; notedAt: string }[]> {
    const rows = await query<{ text: string; notedAt: Date }>(this.database, 'SELECT text, noted_at AS "notedAt" FROM note WHERE model = $1 AND version = $2 ORDER BY noted_at', [model, version]);
    return rows.map(({ text, notedAt }) => ({ text, notedAt: notedAt.toISOString() }));
  }

  /** Where each model stands: the oldest roll-out under way, otherwise the last that ended. */
  async latestOfEachModel(): Promise<RolloutRow[]> {
    const sql = `SELECT DISTINCT ON (model) ${rolloutColumns} FROM rollout WHERE status <> 'waiting' ORDER BY model, ended_at DESC NULLS FIRST, number`;
    return (await query<StoredRollout>(this.database, sql)).map(rolloutOf);
  }
}

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));
