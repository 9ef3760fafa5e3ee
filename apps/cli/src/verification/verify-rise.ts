import { outcomeObserved, type VerdictIssued } from '@millrace/contracts';
import type { ErrorTrail } from '@millrace/core/performance';
import { recomputeRise, type RecordedVerdict, type VerdictBasis } from '@millrace/core/verdicts';
import type { EventLog, TopicRange } from './open-log.js';
import type { RingFacts } from './ring-facts.js';

/** A verdict made again, as far as it can be. */
export interface MadeAgain {
  readonly verdict: VerdictIssued | null;
  readonly unchecked: readonly string[];
  readonly rows: number;
}

/** Makes a rise of the errors again: from the panes that the watch went through, counted anew in the log. */
export async function verifyRise(facts: RingFacts, log: EventLog, recorded: RecordedVerdict, basis: VerdictBasis): Promise<MadeAgain> {
  const trail = await facts.get<ErrorTrail>('drift-monitoring', `/v1/verdicts/${encodeURIComponent(recorded.verdict.verdictId)}/trail`);
  const { take, verdict } = recomputeRise(recorded, basis, trail);
  let rows = 0;
  await log.read(outcomeObserved, spanned(trail), (event) => {
    rows += event.data.model === basis.model.model ? 1 : 0;
    take(event);
  });
  const first = trail.panes[0];
  const unchecked = trail.basis === null || first === undefined ? [] : [`the errors before ${new Date(first.startMs).toISOString()}: the state of the watch there is taken as recorded, and its hash is compared`];
  return { verdict: verdict(), unchecked, rows };
}

function spanned({ panes }: ErrorTrail): TopicRange[] {
  const ranges = new Map<string, TopicRange>();
  for (const { offsets = {} } of panes) {
    for (const [partition, { from, to }] of Object.entries(offsets)) {
      const range = ranges.get(partition);
      ranges.set(partition, { topic: outcomeObserved.type, partition: Number(partition), fromOffset: Math.min(from, range?.fromOffset ?? from), toOffset: Math.max(to, range?.toOffset ?? to) });
    }
  }
  return [...ranges.values()];
}
