import { Injectable } from '@nestjs/common';
import { canonicalJson, routeChanged, sha256Hex, stepDecided, type RouteChanged, type RouteTarget, type StepInputs } from '@millrace/contracts';
import { chooseCandidate, decideRollout, endedBy, freePlace, isLive, openingStep, placeOf, routeDiffers, routeOf, startRollout, type BesideEvent, type RolloutDecision, type RolloutEvent, type RolloutPlan, type RolloutStep } from '@millrace/core/rollout';
import { Messaging, type OutgoingMessage } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { CountedUnitStore } from './counted-unit.store.js';
import { Policies } from './policies.js';
import { ReadingBook } from './reading-book.js';
import { ReadingStore } from './reading.store.js';
import { UnitBook } from './unit-book.js';
import { RolloutStore, type ModelRow, type RolloutRow, type Step } from './rollout.store.js';

type Verdict = Step['verdict'];
type Cause = Pick<StepInputs, 'command' | 'guard' | 'routable' | 'beside'>;

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
  /** Roll-outs that were under way in this transaction and are no longer. */
  readonly ended: RolloutRow[] = [];
  private underWay: readonly RolloutRow[] | undefined;

  constructor(
    private readonly store: RolloutStore,
    private readonly policies: Policies,
    private readonly messaging: Messaging,
    private readonly transaction: Transaction,
    readonly readings: ReadingBook,
    readonly units: UnitBook,
    readonly lookEveryOutcomes: number,
    public model: ModelRow,
  ) {}

  /** The roll-outs under way, as they stand at this moment of the transaction. */
  async running(): Promise<readonly RolloutRow[]> {
    return (this.underWay ??= await this.store.running(this.transaction, this.model.model));
  }

  /** A new roll-out: direct when there is no champion, waiting when those under way leave no room. */
  async start(intent: Intent): Promise<RolloutRow> {
    const { model } = this.model;
    const number = (await this.store.countOf(this.transaction, model, intent.version)) + 1;
    const row: RolloutRow = {
      rolloutId: `${model}.${intent.version}.${number}`, model, candidateVersion: intent.version, championVersion: null, status: 'waiting', phase: 'waiting',
      unitsFrom: 0, plan: null, state: null, sequence: 0, outcomes: 0, startedBy: intent.startedBy, reason: intent.reason, createdAt: this.now(), endedAt: null,
    };
    await this.store.add(this.transaction, row);
    if ((await this.running()).length === 0) return this.begin(row, intent.verdict);
    await this.beginWaiting();
    return (await this.running()).find(({ rolloutId }) => rolloutId === row.rolloutId) ?? row;
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
    await this.units.forgetEnded(row.model);
    const plan = this.policies.planOf(row.model);
    const unitsFrom = (await this.placeFor(row, plan)) ?? 0;
    const others = await this.sharesBeside(row);
    const state = startRollout(plan.policy, others);
    const begun: RolloutRow = { ...row, championVersion: champion, status: 'active', phase: state.phase, unitsFrom, plan, state };
    const cause = plan.policy.candidates === undefined ? {} : { beside: { cause: 'shares', others, reason: '' } as const };
    await this.tell(begun, openingStep(row.reason, row.startedBy === 'pipeline' ? 'gate' : 'by-hand', plan.policy), cause);
    await this.keep(begun);
    await this.store.save(this.transaction, begun);
    await this.reroute(begun, row.reason);
    return begun;
  }

  /** Null: there is no room beside those under way. */
  private async placeFor({ candidateVersion }: RolloutRow, { policy }: RolloutPlan): Promise<number | null> {
    const running = await this.running();
    if (running.some((row) => row.candidateVersion === candidateVersion)) return null;
    return freePlace(policy, running.flatMap(({ plan, unitsFrom }) => (plan === null ? [] : [{ policy: plan.policy, from: unitsFrom }])));
  }

  /** Part of the units that the others answer. */
  private async sharesBeside({ rolloutId }: RolloutRow): Promise<number> {
    return (await this.running()).reduce((sum, row) => sum + (row.rolloutId === rolloutId || row.plan === null || row.state === null ? 0 : (routeOf(row.state, row.plan.policy)?.share ?? 0)), 0);
  }

  private async keep(row: RolloutRow): Promise<void> {
    const others = await this.running();
    const kept = isUnderWay(row) ? [row] : [];
    const known = others.some(({ rolloutId }) => rolloutId === row.rolloutId);
    if (known && !isUnderWay(row)) this.ended.push(row);
    this.underWay = known ? others.flatMap((each) => (each.rolloutId === row.rolloutId ? kept : [each])) : [...others, ...kept];
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
    const next = await this.tellDecision(row, { state, steps }, cause);
    if (row.state === null || row.plan === null || !routeDiffers(row.state, state, row.plan.policy)) return next;
    await this.store.save(this.transaction, next);
    const reason = steps[steps.length - 1]?.reason ?? '';
    if (state.phase === 'full') await this.crown(next, reason);
    else await this.reroute(next, reason);
    if (next.status === 'ended') await this.beginWaiting();
    return next;
  }

  /** Of several candidates that have passed, the best is promoted when it is time. */
  async choose(): Promise<void> {
    const contenders = (await this.running()).flatMap((row) => (row.plan === null || row.state === null ? [] : [{ row, version: row.candidateVersion, state: row.state, policy: row.plan.policy }]));
    const choice = chooseCandidate(contenders);
    if (choice === null) return;
    const { row } = choice.chosen;
    await this.decide(row, { type: 'beside', cause: 'chosen', others: await this.sharesBeside(row), routeRevision: this.model.revision, reason: choice.reason });
  }

  private async tellDecision(row: RolloutRow, { state, steps }: Pick<RolloutDecision, 'state' | 'steps'>, cause: Cause): Promise<RolloutRow> {
    const live = isLive(state.phase);
    const endedAt = live ? null : state.phase === row.phase ? row.endedAt : this.now();
    const next: RolloutRow = { ...row, state, phase: state.phase, sequence: state.sequence, status: live ? (state.paused || state.held !== null ? 'paused' : 'active') : 'ended', endedAt };
    for (const step of steps) await this.tell(next, step, cause);
    await this.keep(next);
    return next;
  }

  /** What one does is told to the others: it changes what they are compared with. */
  private async tellBeside(row: RolloutRow, event: Omit<BesideEvent, 'others'>): Promise<void> {
    for (const other of await this.running()) {
      if (other.rolloutId === row.rolloutId || other.state === null || other.plan === null) continue;
      const told: BesideEvent = { ...event, others: event.cause === 'superseded' ? 0 : await this.sharesBeside(other) };
      await this.store.save(this.transaction, await this.tellDecision(other, decideRollout(other.state, told, other.plan.policy), causeOf(told)));
    }
  }

  /** The candidate answers everything; those beside it were compared with a champion that is none any more. */
  private async crown(row: RolloutRow, reason: string): Promise<void> {
    await this.tellBeside(row, { type: 'beside', cause: 'superseded', routeRevision: this.model.revision, reason: `superseded: version ${row.candidateVersion} has become the champion` });
    await this.routeTo(row, row.candidateVersion, reason);
  }

  private async beginWaiting(): Promise<void> {
    for (let waiting = await this.store.nextWaiting(this.transaction, this.model.model); waiting !== undefined; waiting = await this.store.nextWaiting(this.transaction, this.model.model)) {
      if (waiting.candidateVersion === this.model.route?.champion.version) await this.endByHand(waiting, 'aborted', 'its candidate has become the champion meanwhile');
      else if ((await this.placeFor(waiting, this.policies.planOf(waiting.model))) === null) return;
      else await this.begin(waiting, 'by-hand');
    }
  }

  /** The route after this roll-out has changed: everybody who is tried, each with its units; nobody: the champion alone. */
  private async reroute(row: RolloutRow, reason: string): Promise<void> {
    const { route } = this.model;
    if (route === null) return;
    const tried = [];
    for (const { rolloutId, model, candidateVersion, unitsFrom, plan, state } of await this.running()) {
      const wanted = plan === null || state === null ? null : routeOf(state, plan.policy);
      if (wanted === null) continue;
      const { phase, step, share, mirror } = wanted;
      tried.push({ rolloutId, phase, step, target: { ...(await this.targetOf(model, candidateVersion)), share, mirror, ...(unitsFrom === 0 ? {} : { from: unitsFrom }) } });
    }
    const [first, ...rest] = tried;
    if (first === undefined) return this.routeTo(row, row.championVersion ?? row.candidateVersion, reason);
    const beside = rest.map(({ rolloutId, step, target }) => ({ ...target, rolloutId, step }));
    await this.changeRoute({ rolloutId: row.rolloutId, phase: first.phase, step: first.step, champion: route.champion, candidate: first.target, ...(beside.length === 0 ? {} : { beside }), reason });
    const does = row.state !== null && isUnderWay(row) ? `is in ${placeOf(row.state)}` : `has ended: ${row.phase}`;
    await this.tellBeside(row, { type: 'beside', cause: 'shares', routeRevision: this.model.revision, reason: `beside it version ${row.candidateVersion} ${does}` });
  }

  private async routeTo(row: RolloutRow, version: string, reason: string): Promise<void> {
    await this.changeRoute({ rolloutId: row.rolloutId, phase: 'full', champion: await this.targetOf(row.model, version), candidate: null, reason });
  }

  private async targetOf(model: string, version: string): Promise<RouteChanged['champion']> {
    const found = await this.store.version(this.transaction, model, version);
    if (found === undefined) throw new Error(`version ${version} of ${model} is not stored`);
    return found.target;
  }

  private async changeRoute(change: Pick<RouteChanged, 'rolloutId' | 'phase' | 'step' | 'champion' | 'candidate' | 'beside' | 'reason'>): Promise<void> {
    const { model, revision, streamTime } = this.model;
    const previous = previousOf(this.model.route, change.champion.version);
    // As long as anybody is tried the salt stays, so that units keep their places whoever comes and goes.
    const goesOn = this.model.route !== null && this.model.route.candidate !== null && change.candidate !== null;
    const salt = goesOn ? (this.model.route?.salt ?? '') : `${model}:${change.rolloutId ?? 'none'}`;
    const route: RouteChanged = { model, revision: revision + 1, salt, changedAt: this.now(), streamTime, previous, ...change };
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

const isUnderWay = ({ status }: RolloutRow): boolean => status === 'active' || status === 'paused';

/** What lies in no outcome. */
function causeOf(event: RolloutEvent): Cause {
  if (event.type === 'beside') return { beside: { cause: event.cause, others: event.others, reason: event.reason } };
  if (event.type === 'command') return { command: { command: event.command, by: event.by, reason: event.reason } };
  return event.type === 'guard-breached' ? { guard: { guard: event.guard, reason: event.reason, ...event.inputs } } : {};
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
    private readonly units: CountedUnitStore,
    private readonly lookEveryOutcomes: number,
  ) {}

  /** Locks the model until the transaction ends. */
  async of(transaction: Transaction, model: string): Promise<ModelConduct> {
    return new ModelConduct(this.store, this.policies, this.messaging, transaction, new ReadingBook(this.readings, transaction), new UnitBook(this.units, transaction), this.lookEveryOutcomes, await this.store.lockModel(transaction, model));
  }

  /** Whoever locks several models locks them in this order. */
  static inOrder(models: Iterable<string>): string[] {
    return [...new Set(models)].sort();
  }
}
