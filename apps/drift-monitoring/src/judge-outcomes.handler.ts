import { Injectable } from '@nestjs/common';
import { mergeDelays, mergeOutcomes, type LabelsKnown, type OutcomeState } from '@millrace/core/performance';
import { judgeOutcomeWindow, type MonitoredModel, type Pane, type PaneKey } from '@millrace/core/verdicts';
import type { Transaction } from '@millrace/persistence';
import { driftMonitoringMetrics } from './drift-monitoring.metrics.js';
import type { JudgedWindow } from './judged-window.js';
import { LabelHistoryStore, type LabelHistory } from './label-history.store.js';
import { References } from './references.js';

/** Judges the outcomes of closed windows, oldest first, and learns from each how late labels come. */
@Injectable()
export class JudgeOutcomesHandler {
  constructor(
    private readonly references: References,
    private readonly history: LabelHistoryStore,
  ) {}

  /** @param windows panes by window, in the order of their starts. */
  async handle(windows: readonly (readonly Pane<OutcomeState>[])[], model: MonitoredModel, watermarkMs: number, transaction: Transaction): Promise<JudgedWindow[]> {
    const judged: JudgedWindow[] = [];
    let history = await this.history.read(model.model, transaction);
    for (const panes of windows) {
      const [first] = panes;
      if (first === undefined) continue;
      const state = panes.map((pane) => pane.state).reduce(mergeOutcomes);
      const labels = knownLabels(history, first, state, model);
      const { verdict, metrics } = judgeOutcomeWindow(panes, await this.references.load(model.model, first.version), { model, labels, watermarkMs });
      const { version, role, windowStartMs, windowEndMs } = first;
      judged.push({ model: model.model, version, role, windowStartMs, windowEndMs, verdict, metrics, state: { outcomes: state, labels } });
      history = learnt(history, first, state, model);
      await this.history.addLabelled(model.model, first.version, first.role, state.cohorts, transaction);
    }
    if (windows.length > 0) await this.history.keep(model.model, history, transaction);
    return judged;
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

const sinceOf = (known: number | null | undefined, state: OutcomeState, windowStartMs: number): number => Math.min(known ?? Infinity, state.firstPredictionMs ?? windowStartMs);

/** What was known when the window closed: its own labels tell when its version began, but not how late labels are. */
function knownLabels({ modelSinceMs, versionSinceMs, matured }: LabelHistory, { version, windowStartMs }: PaneKey, state: OutcomeState, { maximumDelayMs }: MonitoredModel): LabelsKnown {
  return { matured, modelSinceMs: sinceOf(modelSinceMs, state, windowStartMs), versionSinceMs: sinceOf(versionSinceMs[version], state, windowStartMs), maximumDelayMs };
}

/** Delays are learnt from windows that begin when the version is as old as a label may be late: before, only quick ones could come. */
function learnt(history: LabelHistory, { version, role, windowStartMs }: PaneKey, state: OutcomeState, { maximumDelayMs }: MonitoredModel): LabelHistory {
  const [modelSinceMs, since] = [sinceOf(history.modelSinceMs, state, windowStartMs), sinceOf(history.versionSinceMs[version], state, windowStartMs)];
  const mature = role === 'primary' && windowStartMs >= since + maximumDelayMs;
  return { v: 1, modelSinceMs, versionSinceMs: { ...history.versionSinceMs, [version]: since }, matured: mature ? mergeDelays(history.matured, state.delays) : history.matured };
}
