import { predictionServed, type VerdictIssued } from '@millrace/contracts';
import { emptyHistoryIn, emptyWindowVerdict, silenceIn, silenceVerdict, type VerdictBasis } from '@millrace/core/verdicts';
import type { Difference } from './differences.js';
import type { EventLog, TopicRange } from './open-log.js';
import type { MadeAgain } from './verify-rise.js';

/** Offsets on both sides of where the service stood that are searched for what contradicts a silence. */
const searched = 5_000;

export interface QuietAgain extends MadeAgain {
  readonly differences: readonly Difference[];
}

/**
 * A silence was told by the wall clock, which no log holds. Made again: figures and sentence from what was recorded and from the
 * spec. Looked for in the log, by the gateways’ clocks: a prediction that was answered in the silence, or is younger than the last.
 */
export async function verifySilence(log: EventLog, recorded: VerdictIssued, { model }: VerdictBasis): Promise<QuietAgain> {
  const silence = silenceIn(recorded);
  const held = await log.held(predictionServed);
  const ranges = held.map(({ topic, partition, fromOffset, toOffset }): TopicRange => {
    const position = silence.positions[String(partition)] ?? 0;
    return { topic, partition, fromOffset: Math.max(fromOffset, Math.min(toOffset, position - searched)), toOffset: Math.max(fromOffset, Math.min(toOffset, position + searched)) };
  });
  const differences: Difference[] = [];
  let rows = 0;
  await log.read(predictionServed, ranges.filter(({ fromOffset, toOffset }) => fromOffset < toOffset), ({ data, partition, offset }) => {
    if (data.model !== model.model) return;
    rows += 1;
    const unread = offset >= (silence.positions[String(partition)] ?? 0);
    const servedMs = Date.parse(data.servedAt);
    if (unread && servedMs <= silence.nowMs && servedMs > silence.nowMs - (model.silenceMs ?? 0)) differences.push({ path: `/log/${partition}@${offset}`, recorded: `nothing until ${new Date(silence.nowMs).toISOString()}`, recomputed: `answered at ${data.servedAt}` });
    if (!unread && Date.parse(data.eventTime) > silence.eventTimeMs) differences.push({ path: `/log/${partition}@${offset}`, recorded: `the last prediction is of ${new Date(silence.eventTimeMs).toISOString()}`, recomputed: `one of ${data.eventTime} had been read` });
  });
  const around = `${new Date(silence.movedAtMs).toISOString()} to ${new Date(silence.nowMs).toISOString()}`;
  return { verdict: silenceVerdict(model, recorded.version, silence), differences, rows, unchecked: [`that the service read nothing from ${around}, by its own clock; the log was searched ${searched.toLocaleString('en-US')} offsets to both sides of where it stood`] };
}

/** A window without rows: its verdict is made again from the volumes before it, as they were recorded. */
export function verifyEmptyWindow(recorded: VerdictIssued, { model }: VerdictBasis): QuietAgain {
  const history = emptyHistoryIn(recorded);
  const { verdict } = emptyWindowVerdict(model, recorded.version, Date.parse(recorded.window.from), history, Date.parse(recorded.watermark));
  return { verdict, differences: [], rows: 0, unchecked: ['that no prediction of the window came: it names no offsets to read; the volumes before it are taken as recorded'] };
}
