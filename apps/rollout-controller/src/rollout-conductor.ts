import { Injectable } from '@nestjs/common';
import { canonicalJson, routeChanged, sha256Hex, stepDecided, type RouteChanged, type RouteTarget, type StepInputs } from '@millrace/contracts';
import { decideRollout, endedBy, isLive, openingStep, routeDiffers, routeOf, startRollout, type RolloutDecision, type RolloutEvent, type RolloutStep } from '@millrace/core/rollout';
import { Messaging, type OutgoingMessage } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { Policies } from './policies.js';
import { ReadingBook } from './reading-book.js';
import { ReadingStore } from './reading.store.js';
import { RolloutStore, type ModelRow, type RolloutRow, type Step } from './rollout.store.js';

type Verdict = Step['verdict'];
type Cause = Pick<StepInputs, 'command' | 'guard' | 'routable'>;

export interface Intent {
  readonly version: string;
  readonly startedBy: string;
  readonly reason: string;
  /** The verdict told with the first step when there is no champion to compare with. */
  readonly verdict: Extract<Verdict, 'gate' | 'by-hand'>;
}

const noEvidence = { n: 0, mean: null, low: null, high: null, margin: null, alpha: null };

/**
 * Carries out what was decided for one model: roll-out row, steps, route and outgoing events, all in the caller’s
 * transaction, which holds the model’s lock. One object per model and transaction; `model` is always as it stands.
 */
export class ModelConduct {
  readonly messages: OutgoingMessage[] = [];
  readonly steps: Step[] = [];

  constructor(
    private readonly store: RolloutStore,
    private readonly policies: Policies,
    private readonly messaging: Messaging,
    private readonly transaction: Transaction,
    readonly readings: ReadingBook,
    readonly lookEveryOutcomes: number,
    public model: ModelRow,
  ) {}

  /** A new roll-out: direct when there is no champion, waiting when another is under way. */
  async start(intent: Intent): Promise<RolloutRow> {
    const { model } = this.model;
    const number = (await this.store.countOf(this.transaction, model, intent.version)) + 1;
    const row: RolloutRow = {
      rolloutId: `${model}.${intent.version}.${number}`, model, candidateVersion: intent.version, championVersion: null, status: 'waiting', phase: 'waiting',
      plan: null, state: null, sequence: 0, outcomes: 0, startedBy: intent.startedBy, reason: intent.reason, createdAt: this.now(), endedAt: null,
    };
    const busy = (await this.store.running(this.transaction, model)) !== undefined;
    await this.store.add(this.transaction, row);
    return busy ? row : this.begin(row, intent.verdict);
  }

  /** Feeds one event to the decision and carries out what follows. */
  async decide(row: RolloutRow, event: RolloutEvent): Promise<{ row: RolloutRow; refused: string | null }> {
    if (row.state === null || row.plan === null) return { row, refused: 'it has not begun' };
    const decision = decideRollout(row.state, event, row.plan.policy);
    if (decision.refused !== null) return { row, refused: decision.refused };
    return { row: await this.carryOut(row, decision, causeOf(event)), refused: null };
  }

  /** Ends a roll-out that waits, or takes a completed one back: decisions that only a person takes. */
  async endByHand(row: RolloutRow, to: 'aborted' | 'rolled-back', reason: string): Promise<RolloutRow> {
    const sequence = row.sequence + 1;
    const state = row.state === null ? null : endedBy(row.state, to);
    const ended: RolloutRow = { ...row, status: 'ended', phase: to, state, sequence, endedAt: this.now() };
    await this.tell(ended, { sequence, from: row.phase, to, verdict: 'by-hand', reason, evidence: noEvidence });
    await this.store.save(this.transaction, ended);
    if (to === 'rolled-back' && row.championVersion !== null) await this.routeTo(ended, row.championVersion, reason);
    return ended;
  }

  private async begin(row: RolloutRow, verdict: Intent['verdict']): Promise<RolloutRow> {
    const champion = this.model.route?.champion.version ?? null;
    if (champion === null) return this.promoteAtOnce(row, verdict);
    const plan = this.policies.planOf(row.model);
    const state = startRollout(plan.policy);
    const begun: RolloutRow = { ...row, championVersion: champion, status: 'active', phase: state.phase, plan, state };
    await this.tell(begun, openingStep(row.reason, row.startedBy === 'pipeline' ? 'gate' : 'by-hand', plan.policy));
    await this.store.save(this.transaction, begun);
    await this.routeInPhase(begun, row.reason);
    return begun;
  }

  private async promoteAtOnce(row: RolloutRow, verdict: Intent['verdict']): Promise<RolloutRow> {
    const reason = `${row.reason}; there is no champion to compare with`;
    const ended: RolloutRow = { ...row, status: 'ended', phase: 'full', endedAt: this.now() };
    await this.tell(ended, { sequence: 0, from: 'registered', to: 'full', verdict, reason, evidence: noEvidence });
    await this.store.save(this.transaction, ended);
    await this.routeTo(ended, row.candidateVersion, reason);
    return ended;
  }

  /** The roll-out after a decision: steps are told, the route follows, and what waited begins when this one has ended. */
  async carryOut(row: RolloutRow, { state, steps }: Pick<RolloutDecision, 'state' | 'steps'>, cause: Cause = {}): Promise<RolloutRow> {
    const live = isLive(state.phase);
    const endedAt = live ? null : state.phase === row.phase ? row.endedAt : this.now();
    const next: RolloutRow = { ...row, state, phase: state.phase, sequence: state.sequence, status: live ? (state.paused || state.held !== null ? 'paused' : 'active') : 'ended', endedAt };
    for (const step of steps) await this.tell(next, step, cause);
    if (row.state === null || row.plan === null || !routeDiffers(row.state, state, row.plan.policy)) return next;
    await this.store.save(this.transaction, next);
    const reason = steps[steps.length - 1]?.reason ?? '';
    if (live) await this.routeInPhase(next, reason);
    else {
      await this.routeTo(next, state.phase === 'full' ? next.candidateVersion : (next.championVersion ?? next.candidateVersion), reason);
      await this.beginWaiting();
    }
    return next;
  }

  private async beginWaiting(): Promise<void> {
    for (let waiting = await this.store.nextWaiting(this.transaction, this.model.model); waiting !== undefined; waiting = await this.store.nextWaiting(this.transaction, this.model.model)) {
      if (waiting.candidateVersion !== this.model.route?.champion.version) return void (await this.begin(waiting, 'by-hand'));
      await this.endByHand(waiting, 'aborted', 'its candidate has become the champion meanwhile');
    }
  }

  private async routeInPhase(row: RolloutRow, reason: string): Promise<void> {
    const { route } = this.model;
    if (route === null || row.plan === null || row.state === null) return;
    const wanted = routeOf(row.state, row.plan.policy);
    if (wanted === null) return;
    const { phase, step, share, mirror } = wanted;
    const candidate = await this.targetOf(row.model, row.candidateVersion);
    await this.changeRoute({ rolloutId: row.rolloutId, phase, step, champion: route.champion, candidate: { ...candidate, share, mirror }, reason });
  }

  private async routeTo(row: RolloutRow, version: string, reason: string): Promise<void> {
    await this.changeRoute({ rolloutId: row.rolloutId, phase: 'full', champion: await this.targetOf(row.model, version), candidate: null, reason });
  }

  private async targetOf(model: string, version: string): Promise<RouteChanged['champion']> {
    const found = await this.store.version(this.transaction, model, version);
    if (found === undefined) throw new Error(`version ${version} of ${model} is not stored`);
    return found.target;
  }

  private async changeRoute(change: Pick<RouteChanged, 'rolloutId' | 'phase' | 'step' | 'champion' | 'candidate' | 'reason'>): Promise<void> {
    const { model, revision, streamTime } = this.model;
    const previous = previousOf(this.model.route, change.champion.version);
    const route: RouteChanged = { model, revision: revision + 1, salt: `${model}:${change.rolloutId ?? 'none'}`, changedAt: this.now(), streamTime, previous, ...change };
    await this.store.saveRoute(this.transaction, route);
    this.model = { ...this.model, revision: route.revision, route };
    this.messages.push(this.messaging.encode(routeChanged, route, { key: model, id: `route:${model}:${route.revision}` }));
  }

  private async tell(row: RolloutRow, step: RolloutStep | (Omit<RolloutStep, 'verdict'> & { readonly verdict: Verdict }), cause: Cause = {}): Promise<void> {
    const told: Step = { ...step, decidedAt: this.now(), streamTime: this.model.streamTime, inputs: await this.inputsOf(row, cause) };
    await this.store.addStep(this.transaction, row.rolloutId, told);
    this.steps.push(told);
    const { model, rolloutId, candidateVersion, championVersion } = row;
    this.messages.push(this.messaging.encode(stepDecided, { model, rolloutId, candidateVersion, championVersion, ...told }, { key: model, id: `step:${rolloutId}:${step.sequence}` }));
  }

  private async inputsOf({ model, rolloutId, plan, state, championVersion, candidateVersion }: RolloutRow, cause: Cause): Promise<StepInputs> {
    const champion = championVersion === null ? null : (await this.targetOf(model, championVersion)).artifact.sha256;
    return {
      spec: { revision: plan?.specRevision ?? 0, sha256: plan?.specSha256 ?? null },
      policy: { ...plan?.policy },
      artifacts: { champion, candidate: (await this.targetOf(model, candidateVersion)).artifact.sha256 },
      routeRevision: this.model.revision,
      lookEveryOutcomes: this.lookEveryOutcomes,
      ...(await this.readings.soFar(rolloutId)),
      ...cause,
      stateSha256: state === null ? null : sha256Hex(canonicalJson(state)),
    };
  }

  private now(): string {
    return this.messaging.now().toISOString();
  }
}

/** What lies in no outcome. */
function causeOf(event: RolloutEvent): Cause {
  if (event.type === 'command') return { command: { command: event.command, by: event.by, reason: event.reason } };
  return event.type === 'guard-breached' ? { guard: { guard: event.guard, reason: event.reason } } : {};
}

/** Who may stand in for the new champion: the one before it. A champion that was taken back stands in for nobody. */
function previousOf(route: RouteChanged | null, champion: string): RouteTarget | null {
  if (route === null) return null;
  if (route.champion.version === champion) return route.previous ?? null;
  return route.previous?.version === champion ? null : route.champion;
}

@Injectable()
export class RolloutConductor {
  constructor(
    private readonly store: RolloutStore,
    private readonly policies: Policies,
    private readonly messaging: Messaging,
    private readonly readings: ReadingStore,
    private readonly lookEveryOutcomes: number,
  ) {}

  /** Locks the model until the transaction ends. */
  async of(transaction: Transaction, model: string): Promise<ModelConduct> {
    return new ModelConduct(this.store, this.policies, this.messaging, transaction, new ReadingBook(this.readings, transaction), this.lookEveryOutcomes, await this.store.lockModel(transaction, model));
  }

  /** Whoever locks several models locks them in this order. */
  static inOrder(models: Iterable<string>): string[] {
    return [...new Set(models)].sort();
  }
}
