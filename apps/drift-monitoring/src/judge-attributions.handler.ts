import { Injectable } from '@nestjs/common';
import { attributionCounts, type AttributionState } from '@millrace/core/drift';
import { byWindow, judgeAttributionWindow, verdictIdOf, type AttributionHistory, type MonitoredModel } from '@millrace/core/verdicts';
import type { Transaction } from '@millrace/persistence';
import { isBeside } from './judge-inputs.handler.js';
import type { JudgedWindow } from './judged-window.js';
import { PaneStore, type StoredPane } from './pane.store.js';
import { References } from './references.js';
import { VerdictStore } from './verdict.store.js';

type Panes = readonly StoredPane<AttributionState>[];

/** Judges the windows of explained answers that their watermark has passed, oldest first: new ones, and judged ones that late rows have changed since. */
@Injectable()
export class JudgeAttributionsHandler {
  constructor(
    private readonly panes: PaneStore,
    private readonly references: References,
    private readonly verdicts: VerdictStore,
  ) {}

  async handle(model: MonitoredModel, untilMs: number, watermarkMs: number, transaction: Transaction): Promise<JudgedWindow[]> {
    const judged: JudgedWindow[] = [];
    const groups = byWindow(await this.panes.judge<AttributionState>(model.model, 'explanations', untilMs, transaction));
    for (const panes of groups) {
      if (panes.every((pane) => pane.judged)) continue;
      const window = await this.judge(panes, groups.filter((other) => isBeside(other, panes)).length, model, watermarkMs, transaction);
      await this.verdicts.keep(window, transaction);
      judged.push(window);
    }
    await this.panes.forget(model.model, 'explanations', untilMs - model.amendMs, transaction);
    return judged;
  }

  private async judge(panes: Panes, versions: number, model: MonitoredModel, watermarkMs: number, transaction: Transaction): Promise<JudgedWindow> {
    const [first] = panes;
    if (first === undefined) throw new RangeError('a window has at least one pane');
    const { role, version, windowStartMs, windowEndMs } = first;
    const revision = 1 + (await this.verdicts.revisionOf(verdictIdOf('attribution', first), transaction));
    const { spent } = await this.verdicts.driftHistory(model.model, windowStartMs, windowEndMs - (model.budget?.perMs ?? 0), 0, transaction);
    const history: AttributionHistory = { spent, allowed: model.budget?.falseIncidents ?? null, versions };
    const { verdict, level, state } = judgeAttributionWindow(panes, await this.references.load(model.model, version), { model, history, revision, watermarkMs });
    return { model: model.model, version, role, windowStartMs, windowEndMs, verdict, metrics: [], state: { v: 1, attributions: attributionCounts(state), history }, level };
  }
}
