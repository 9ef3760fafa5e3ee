import { Injectable } from '@nestjs/common';
import { delaysSince, mergeDelays, mergeOutcomes, type LabelsKnown, type OutcomeState } from '@millrace/core/performance';
import { byWindow, judgeOutcomeWindow, rowsOf, verdictIdOf, type MonitoredModel, type PaneKey } from '@millrace/core/verdicts';
import type { Transaction } from '@millrace/persistence';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import type { JudgedWindow } from './judged-window.js';
import { LabelHistoryStore, type LabelHistory } from './label-history.store.js';
import { PaneStore, type StoredPane } from './pane.store.js';
import { References } from './references.js';
import { VerdictStore } from './verdict.store.js';

type Panes = readonly StoredPane<OutcomeState>[];

/** What the verdict before was made from. */
interface Before {
  readonly revision: number;
  readonly rows: number;
  readonly state: { readonly outcomes: OutcomeState; readonly labels: LabelsKnown };
}

/** Judges the outcomes of closed windows, oldest first: new ones, and judged ones that late labels have changed since. Learns from each how late labels come. */
@Injectable()
export class JudgeOutcomesHandler {
  constructor(
    private readonly panes: PaneStore,
    private readonly references: References,
    private readonly history: LabelHistoryStore,
    private readonly verdicts: VerdictStore,
  ) {}

  async handle(model: MonitoredModel, untilMs: number, watermarkMs: number, transaction: Transaction): Promise<JudgedWindow[]> {
    const judged: JudgedWindow[] = [];
    let history = await this.history.read(model.model, transaction);
    for (const panes of byWindow(await this.panes.judge<OutcomeState>(model.model, 'outcomes', untilMs, transaction))) {
      const [first] = panes;
      if (first === undefined || panes.every((pane) => pane.judged)) continue;
      const before = (await this.verdicts.last(verdictIdOf('performance', first), transaction)) as Before | null;
      // Releases before this one kept no panes of judged windows: late labels alone are no window.
      if (before !== null && rowsOf(panes) <= before.rows) continue;
      const window = await this.judge(panes, before, history, model, watermarkMs);
      await this.verdicts.keep(window, transaction);
      judged.push(window);
      const state = addedSince(before, (window.state as Before['state']).outcomes);
      history = learnt(history, first, state, model);
      await this.history.addLabelled(model.model, first.version, first.role, state.cohorts, transaction);
    }
    if (judged.length > 0) await this.history.keep(model.model, history, transaction);
    await this.panes.forget(model.model, 'outcomes', untilMs - model.amendMs, transaction);
    return judged;
  }

  private async judge(panes: Panes, before: Before | null, history: LabelHistory, model: MonitoredModel, watermarkMs: number): Promise<JudgedWindow> {
    const [first] = panes;
    if (first === undefined) throw new RangeError('a window has at least one pane');
    const { version, role, windowStartMs, windowEndMs } = first;
    const outcomes = panes.map((pane) => pane.state).reduce(mergeOutcomes);
    const labels = before === null ? knownLabels(history, first, outcomes, model) : amendedLabels(before.state.labels, outcomes);
    const revision = 1 + (before?.revision ?? 0);
    const { verdict, metrics } = judgeOutcomeWindow(panes, await this.references.load(model.model, version), { model, labels, revision, watermarkMs });
    return { model: model.model, version, role, windowStartMs, windowEndMs, verdict, metrics, state: { outcomes, labels } };
  }

  /** Puts on the board how many predictions of judged windows still wait: those whose label may come yet. */
  async showWaiting({ model, maximumDelayMs, windowMs }: MonitoredModel, watermarkMs: number): Promise<void> {
    const waiting = new Map<string, number>();
    for (const { version, role, predicted, labelled } of await this.history.cohorts(model, watermarkMs - maximumDelayMs - windowMs)) {
      if (role === 'primary') waiting.set(version, (waiting.get(version) ?? 0) + Math.max(0, predicted - labelled));
    }
    for (const [version, predictions] of waiting) driftMonitoringMetrics.labelsWaiting.set({ model, version }, predictions);
  }
}

const sinceOf = (known: number | null | undefined, state: Learnable, windowStartMs: number): number => Math.min(known ?? Infinity, state.firstPredictionMs ?? windowStartMs);

/** What was known when the window closed: its own labels tell when its version began, but not how late labels are. */
function knownLabels({ modelSinceMs, versionSinceMs, matured }: LabelHistory, { version, windowStartMs }: PaneKey, state: OutcomeState, { maximumDelayMs }: MonitoredModel): LabelsKnown {
  return { matured, modelSinceMs: sinceOf(modelSinceMs, state, windowStartMs), versionSinceMs: sinceOf(versionSinceMs[version], state, windowStartMs), maximumDelayMs };
}

/** A verdict told again knows of other windows what it knew the first time, so that it differs by its own rows alone. */
function amendedLabels(labels: LabelsKnown, state: OutcomeState): LabelsKnown {
  const firstMs = state.firstPredictionMs ?? Infinity;
  return { ...labels, modelSinceMs: Math.min(labels.modelSinceMs, firstMs), versionSinceMs: Math.min(labels.versionSinceMs, firstMs) };
}

type Learnable = Pick<OutcomeState, 'delays' | 'cohorts' | 'firstPredictionMs'>;

/** What an amendment has beyond the verdict before: the rest was learnt from then. */
function addedSince(before: Before | null, { delays, cohorts, firstPredictionMs }: OutcomeState): Learnable {
  if (before === null) return { delays, cohorts, firstPredictionMs };
  const { outcomes } = before.state;
  const added = Object.entries(cohorts).map(([start, rows]): [string, number] => [start, rows - (outcomes.cohorts[start] ?? 0)]);
  return { delays: delaysSince(outcomes.delays, delays), cohorts: Object.fromEntries(added.filter(([, rows]) => rows > 0)), firstPredictionMs };
}

/** Delays are learnt from windows that begin when the version is as old as a label may be late: before, only quick ones could come. */
function learnt(history: LabelHistory, { version, role, windowStartMs }: PaneKey, state: Learnable, { maximumDelayMs }: MonitoredModel): LabelHistory {
  const [modelSinceMs, since] = [sinceOf(history.modelSinceMs, state, windowStartMs), sinceOf(history.versionSinceMs[version], state, windowStartMs)];
  const mature = role === 'primary' && windowStartMs >= since + maximumDelayMs;
  return { v: 1, modelSinceMs, versionSinceMs: { ...history.versionSinceMs, [version]: since }, matured: mature ? mergeDelays(history.matured, state.delays) : history.matured };
}
