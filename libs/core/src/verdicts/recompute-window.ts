import { Type, type Static } from '@sinclair/typebox';
import { Count, MillraceError, Nullable, parse, type OutcomeObserved, type PredictionExplained, type PredictionServed, type VerdictIssued } from '@millrace/contracts';
import { observeAttributions, observeInputs, type AttributionState, type InputState } from '../drift/index.js';
import type { OutcomeState } from '../performance/index.js';
import { judgeAttributionWindow } from './judge-attribution-window.js';
import { judgeInputWindow } from './judge-input-window.js';
import { judgeOutcomeWindow } from './judge-outcome-window.js';
import type { MonitoredModel } from './monitored-model.js';
import type { Pane, PaneKey } from './pane.js';
import type { Reference } from './reference.js';
import { attributionPaneOf, emptyAttributionPane, emptyInputPane, emptyOutcomePane, firstOfEachVersion, inputPaneOf, isRow, observeAnswer, outcomePaneOf, servedRow } from './served-rows.js';
import { judgedIn, topicOf } from './window-verdict.js';

/** A verdict as it was told, and of which role it is: published ones are of the role primary. */
export interface RecordedVerdict {
  readonly verdict: VerdictIssued;
  readonly role: PredictionServed['role'];
}

/** By what it is judged again: the spec of the revision it names, and the version’s reference, both as the registry has them. */
export interface VerdictBasis {
  readonly model: MonitoredModel;
  readonly reference: Reference | null;
}

interface Placed<Data> {
  readonly data: Data;
  readonly partition: number;
  readonly offset: number;
}

/** What stood outside the rows when the verdict was made; taken from the record, since the log of one window cannot tell it. */
const InputHistoryRecord = Type.Object({ volumes: Nullable(Type.Array(Count)), volume: Count, spent: Type.Number({ minimum: 0 }), allowed: Nullable(Type.Number()), versions: Count });
const AttributionHistoryRecord = Type.Object({ spent: Type.Number({ minimum: 0 }), allowed: Nullable(Type.Number()), versions: Count });
const ClassDelays = Type.Object({ n: Count, wrong: Count, delays: Type.Record(Type.String(), Count) });
const LabelsRecord = Type.Object({ matured: Type.Record(Type.String(), ClassDelays), modelSinceMs: Type.Number(), versionSinceMs: Type.Number(), maximumDelayMs: Type.Number() });

function historyOf<T extends typeof InputHistoryRecord | typeof AttributionHistoryRecord | typeof LabelsRecord>(schema: T, { verdictId, inputs }: VerdictIssued): Static<T> {
  if (inputs === undefined) throw new MillraceError('INPUTS_MISSING', `${verdictId} was told before verdicts kept their inputs; it cannot be made again`);
  return parse(schema, inputs.history, 'INPUTS_MISSING', `the history in the inputs of ${verdictId}`);
}

const keyOf = ({ paneStartMs, paneEndMs }: PaneKey): string => `${paneStartMs ?? ''}/${paneEndMs ?? ''}`;

/** The panes of one window, by partition, as rows are counted again. */
class Recount<State> {
  private readonly partitions = new Map<number, Map<string, Pane<State>>>();

  constructor(private readonly recorded: RecordedVerdict) {}

  concerns({ model, version, role, windowStartMs, windowEndMs }: PaneKey): boolean {
    const { verdict, role: wanted } = this.recorded;
    return model === verdict.model && version === verdict.version && role === wanted && windowStartMs === Date.parse(verdict.window.from) && windowEndMs === Date.parse(verdict.window.to);
  }

  /** Whether the verdict says that it has read this offset. */
  covers(partition: number, offset: number): boolean {
    return this.recorded.verdict.offsets.some((range) => range.partition === partition && range.topic === topicOf[judgedIn(this.recorded.verdict)] && offset >= range.fromOffset && offset < range.toOffset);
  }

  /** @param observe answers whether the row counts. */
  count(key: PaneKey, { partition, offset }: Placed<unknown>, empty: () => State, observe: (state: State) => boolean): void {
    const panes = this.partitions.get(partition) ?? new Map<string, Pane<State>>();
    this.partitions.set(partition, panes);
    const pane = panes.get(keyOf(key)) ?? { ...key, partition, state: empty(), rows: 0, firstOffset: offset, lastOffset: offset };
    if (!observe(pane.state)) return;
    panes.set(keyOf(key), pane);
    pane.rows += 1;
    pane.lastOffset = offset;
  }

  /** In the order in which the service merges them. */
  panes(): Pane<State>[] {
    return [...this.partitions].sort(([a], [b]) => a - b).flatMap(([, panes]) => [...panes.values()]);
  }
}

/**
 * Makes a verdict on inputs again: `take` every prediction of the ranges, in offset order within each partition, then ask for
 * the verdict; null when no row of the window is there. Predictions before a range may be given too: they only move the
 * clock that decides until when repeated predictions are told apart.
 */
export function recomputeInputs(recorded: RecordedVerdict, { model, reference }: VerdictBasis): { take: (event: Placed<PredictionServed>) => void; verdict: () => VerdictIssued | null } {
  const history = historyOf(InputHistoryRecord, recorded.verdict);
  const recount = new Recount<InputState>(recorded);
  const clocks = new Map<number, number>();
  return {
    take(event) {
      const { data, partition, offset } = event;
      if (data.model !== model.model || !isRow(data)) return;
      const clockMs = clocks.get(partition) ?? -Infinity;
      const key = inputPaneOf(data, model, clockMs);
      clocks.set(partition, Math.max(clockMs, Date.parse(data.eventTime)));
      if (!recount.concerns(key) || !recount.covers(partition, offset)) return;
      recount.count(key, event, () => emptyInputPane(key, reference, model), (state) => observeInputs(state, servedRow(data, event, state.output.kind)));
    },
    verdict() {
      const panes = recount.panes();
      const { revision = 1, watermark } = recorded.verdict;
      return panes.length === 0 ? null : judgeInputWindow(panes, reference, { model, history, revision, watermarkMs: Date.parse(watermark) }).verdict;
    },
  };
}

/** Makes a verdict on attributions again, as `recomputeInputs` does one on inputs. */
export function recomputeAttributions(recorded: RecordedVerdict, { model, reference }: VerdictBasis): { take: (event: Placed<PredictionExplained>) => void; verdict: () => VerdictIssued | null } {
  const history = historyOf(AttributionHistoryRecord, recorded.verdict);
  const recount = new Recount<AttributionState>(recorded);
  const clocks = new Map<number, number>();
  return {
    take(event) {
      const { data, partition, offset } = event;
      if (data.model !== model.model) return;
      const clockMs = clocks.get(partition) ?? -Infinity;
      const key = attributionPaneOf(data, model, clockMs);
      clocks.set(partition, Math.max(clockMs, Date.parse(data.eventTime)));
      if (!recount.concerns(key) || !recount.covers(partition, offset)) return;
      recount.count(key, event, () => emptyAttributionPane(key), (state) => observeAttributions(state, data.predictionId, data.contributions));
    },
    verdict() {
      const panes = recount.panes();
      const { revision = 1, watermark } = recorded.verdict;
      return panes.length === 0 ? null : judgeAttributionWindow(panes, reference, { model, history, revision, watermarkMs: Date.parse(watermark) }).verdict;
    },
  };
}

/** Makes a verdict on outcomes again, as `recomputeInputs` does one on inputs. */
export function recomputeOutcomes(recorded: RecordedVerdict, { model, reference }: VerdictBasis): { take: (event: Placed<OutcomeObserved>) => void; verdict: () => VerdictIssued | null } {
  const labels = historyOf(LabelsRecord, recorded.verdict);
  const recount = new Recount<OutcomeState>(recorded);
  return {
    take(event) {
      const { data, partition, offset } = event;
      if (data.model !== model.model || !recount.covers(partition, offset)) return;
      for (const prediction of firstOfEachVersion(data.predictions)) {
        const key = outcomePaneOf(data, prediction, model);
        if (!recount.concerns(key)) continue;
        recount.count(key, event, () => emptyOutcomePane(model), (state) => {
          observeAnswer(state, data, prediction, model);
          return true;
        });
      }
    },
    verdict() {
      const panes = recount.panes();
      const { revision = 1, watermark } = recorded.verdict;
      return panes.length === 0 ? null : judgeOutcomeWindow(panes, reference, { model, labels, revision, watermarkMs: Date.parse(watermark) }).verdict;
    },
  };
}
