import { Injectable } from '@nestjs/common';
import { serialiseInputs, volumeWindowsMax, type InputState } from '@millrace/core/drift';
import { byWindow, judgeInputWindow, rowsOf, verdictIdOf, type InputHistory, type MonitoredModel, type PaneKey } from '@millrace/core/verdicts';
import type { Transaction } from '@millrace/persistence';
import { emptyWindows, judgeEmptyWindow } from './empty-windows.js';
import type { JudgedWindow } from './judged-window.js';
import { PaneStore, type StoredPane } from './pane.store.js';
import { References } from './references.js';
import { VerdictStore } from './verdict.store.js';

type Panes = readonly StoredPane<InputState>[];

/** Judges the input windows that the watermark has passed, oldest first: new ones, and judged ones that late rows have changed since. */
@Injectable()
export class JudgeInputsHandler {
  constructor(
    private readonly panes: PaneStore,
    private readonly references: References,
    private readonly verdicts: VerdictStore,
  ) {}

  async handle(model: MonitoredModel, untilMs: number, watermarkMs: number, transaction: Transaction): Promise<JudgedWindow[]> {
    const judged: JudgedWindow[] = [];
    const groups = byWindow(await this.panes.judge<InputState>(model.model, 'predictions', untilMs, transaction));
    let last = await this.verdicts.lastWindow(model.model, transaction);
    const judgeEmpty = async (toMs: number): Promise<void> => {
      if (last === null) return;
      for (const start of emptyWindows(last.endMs, toMs, model.windowMs)) judged.push(await this.judgeEmpty(model, last.version, start, watermarkMs, transaction));
      last = { ...last, endMs: Math.max(last.endMs, toMs) };
    };
    for (const panes of groups) {
      const [first] = panes;
      if (first === undefined || panes.every((pane) => pane.judged)) continue;
      const primary = first.role === 'primary';
      if (primary) await judgeEmpty(first.windowStartMs);
      const beside = groups.filter((other) => isBeside(other, panes));
      const window = await this.judge(panes, beside, model, watermarkMs, transaction);
      await this.verdicts.keep(window, transaction);
      judged.push(window);
      if (primary) last = { version: first.version, endMs: Math.max(first.windowEndMs, last?.endMs ?? 0) };
    }
    await judgeEmpty(untilMs);
    await this.panes.forget(model.model, 'predictions', untilMs - model.amendMs, transaction);
    return judged;
  }

  private async judgeEmpty(model: MonitoredModel, version: string, windowStartMs: number, watermarkMs: number, transaction: Transaction): Promise<JudgedWindow> {
    const history = await this.verdicts.driftHistory(model.model, windowStartMs, windowStartMs + model.windowMs - (model.budget?.perMs ?? 0), volumeWindowsMax, transaction);
    const window = judgeEmptyWindow(model, version, windowStartMs, history, watermarkMs);
    await this.verdicts.keep(window, transaction);
    return window;
  }

  private async judge(panes: Panes, beside: readonly Panes[], model: MonitoredModel, watermarkMs: number, transaction: Transaction): Promise<JudgedWindow> {
    const [first] = panes;
    if (first === undefined) throw new RangeError('a window has at least one pane');
    const { role, version, windowStartMs, windowEndMs } = first;
    const primary = role === 'primary';
    const revision = 1 + (await this.verdicts.revisionOf(verdictIdOf('drift', first), transaction));
    const { volumes, spent } = await this.verdicts.driftHistory(model.model, windowStartMs, windowEndMs - (model.budget?.perMs ?? 0), volumeWindowsMax, transaction);
    const history: InputHistory = {
      volumes: primary && isLargest(panes, beside) ? volumes : null, volume: beside.reduce((sum, each) => sum + rowsOf(each), 0), spent, allowed: primary ? (model.budget?.falseIncidents ?? null) : null, versions: beside.length,
    };
    const { verdict, level, state, policy } = judgeInputWindow(panes, await this.references.load(model.model, version), { model, history, revision, watermarkMs });
    const kept = { v: 2, inputs: Buffer.from(serialiseInputs(state)).toString('base64'), policy, history };
    return { model: model.model, version, role, windowStartMs, windowEndMs, verdict, metrics: [], state: kept, level };
  }
}

/** Versions that answer side by side in a window share its level and make up its volume; shadows judge for themselves. */
export function isBeside(other: readonly PaneKey[], panes: readonly PaneKey[]): boolean {
  const [a, b] = [other[0], panes[0]];
  return a !== undefined && b !== undefined && a.windowStartMs === b.windowStartMs && a.windowEndMs === b.windowEndMs && (other === panes || (a.role === 'primary' && b.role === 'primary'));
}

function isLargest(panes: Panes, beside: readonly Panes[]): boolean {
  const order = (each: Panes): [number, string] => [rowsOf(each), each[0]?.version ?? ''];
  const [rows, version] = order(panes);
  return beside.every((other) => other === panes || order(other)[0] < rows || (order(other)[0] === rows && order(other)[1] > version));
}
