import { MillraceError, outcomeObserved, predictionServed, type OutcomeObserved, type PredictionServed, type ServedPrediction } from '@millrace/contracts';
import { loggedAnswers, type LoggedAnswers } from '@millrace/core/rollout';
import type { EventLog, TopicRange } from '../verification/open-log.js';
import type { Past, PastQuestion, PastRow, ReadRange } from './past-row.js';

interface Told extends LoggedAnswers {
  readonly outcome: OutcomeObserved;
  readonly partition: number;
  readonly offset: number;
  /** Of its features. */
  readonly asked: ServedPrediction;
}

const placeOf = ({ partition, offset }: { readonly partition: number; readonly offset: number }): string => `${partition}@${offset}`;

/** The first event time that each partition still tells of this model. */
type Beginnings = Map<number, number>;

/** What retention has deleted may lie in the range: then the log is no witness. */
function refuseLost(held: readonly TopicRange[], beginnings: Beginnings, { fromMs }: PastQuestion): void {
  const lost = held.filter(({ partition, fromOffset }) => fromOffset > 0 && (beginnings.get(partition) ?? Infinity) > fromMs);
  const [first] = lost;
  if (first === undefined) return;
  const since = beginnings.get(first.partition);
  throw new MillraceError('OFFSETS_UNAVAILABLE', `${first.topic} no longer reaches ${new Date(fromMs).toISOString()}: partition ${first.partition} begins at offset ${first.fromOffset}${since === undefined ? ' and tells nothing of this model' : `, with an outcome of ${new Date(since).toISOString()}`}`);
}

class Outcomes {
  readonly told = new Map<string, Told>();
  readonly leftOut = new Map<string, number>();
  readonly rows = new Map<number, number>();
  readonly beginnings: Beginnings = new Map();

  constructor(private readonly question: PastQuestion) {}

  take(outcome: OutcomeObserved, partition: number, offset: number): void {
    const { model, fromMs, toMs, championVersion, rowsMax } = this.question;
    const [any] = outcome.predictions;
    if (outcome.model !== model || any === undefined) return;
    const eventMs = Date.parse(any.eventTime);
    if (!this.beginnings.has(partition)) this.beginnings.set(partition, eventMs);
    if (eventMs < fromMs || eventMs >= toMs) return;
    const answers = loggedAnswers(outcome, championVersion);
    const asked = answers.champion ?? answers.primary;
    if (this.told.has(outcome.recordId)) return this.leaveOut('told again');
    if (asked === null) return this.leaveOut('no answer but by a fallback');
    if (answers.champion === null && championVersion === null) return this.leaveOut('champion not asked');
    if (this.told.size >= rowsMax) throw new MillraceError('REQUEST_INVALID', `more than ${rowsMax.toLocaleString('en-US')} records lie in the range; choose a shorter one, or more with --rows-max (about 1 KB of memory each)`);
    this.told.set(outcome.recordId, { ...answers, outcome, partition, offset, asked });
    this.rows.set(partition, (this.rows.get(partition) ?? 0) + 1);
  }

  private leaveOut(why: string): void {
    this.leftOut.set(why, (this.leftOut.get(why) ?? 0) + 1);
  }
}

function rangesOf(told: Iterable<Told>): TopicRange[] {
  const ranges = new Map<number, TopicRange>();
  for (const { asked, primary } of told) {
    for (const { position: { topic, partition, offset } } of [asked, ...(primary === null ? [] : [primary])]) {
      const known = ranges.get(partition) ?? { topic, partition, fromOffset: offset, toOffset: offset + 1 };
      ranges.set(partition, { ...known, fromOffset: Math.min(known.fromOffset, offset), toOffset: Math.max(known.toOffset, offset + 1) });
    }
  }
  return [...ranges.values()].sort((a, b) => a.partition - b.partition);
}

type Kept = Pick<PredictionServed, 'features' | 'armProbability'>;

/** The predictions that the outcomes name, by their place. */
async function readPredictions(log: EventLog, told: ReadonlyMap<string, Told>): Promise<{ predictions: Map<string, Kept>; read: ReadRange[] }> {
  const wanted = new Set([...told.values()].flatMap(({ asked, primary }) => [asked, ...(primary === null ? [] : [primary])].map(({ position }) => placeOf(position))));
  const predictions = new Map<string, Kept>();
  const rows = new Map<number, number>();
  const ranges = rangesOf(told.values());
  await log.read(predictionServed, ranges, ({ data: { features, armProbability }, partition, offset }) => {
    if (!wanted.has(placeOf({ partition, offset }))) return;
    predictions.set(placeOf({ partition, offset }), { features, armProbability });
    rows.set(partition, (rows.get(partition) ?? 0) + 1);
  });
  return { predictions, read: ranges.map((range) => ({ ...range, rows: rows.get(range.partition) ?? 0 })) };
}

function pastRow({ outcome, champion, primary, asked }: Told, predictions: ReadonlyMap<string, Kept>): PastRow | null {
  const own = predictions.get(placeOf(asked.position));
  if (own === undefined) return null;
  const answer = primary === null ? undefined : predictions.get(placeOf(primary.position));
  return {
    recordId: outcome.recordId, label: outcome.label, features: own.features,
    champion: champion?.output ?? null, championVersion: champion?.version ?? null,
    answered: primary === null || answer === undefined ? null : { version: primary.version, unit: primary.unit, propensity: answer.armProbability, output: primary.output },
  };
}

function inOrderOfLabels(a: Told, b: Told): number {
  return Date.parse(a.outcome.labelEventTime) - Date.parse(b.outcome.labelEventTime) || a.partition - b.partition || a.offset - b.offset;
}

/**
 * Past traffic as the log tells it: outcomes whose record's event time lies in the range, with the features and propensities of the
 * predictions that they name. A record counts once, by its first outcome.
 * @throws MillraceError OFFSETS_UNAVAILABLE when a topic no longer holds all of it, DATASET_EMPTY when there is nothing,
 *   REQUEST_INVALID when there is too much.
 */
export async function pastFromLog(log: EventLog, question: PastQuestion): Promise<Past> {
  const held = await log.held(outcomeObserved);
  const outcomes = new Outcomes(question);
  await log.read(outcomeObserved, held, ({ data, partition, offset }) => outcomes.take(data, partition, offset));
  refuseLost(held, outcomes.beginnings, question);
  const { told, leftOut } = outcomes;
  if (told.size === 0) throw new MillraceError('DATASET_EMPTY', `no prediction of ${question.model} with an event time from ${new Date(question.fromMs).toISOString()} to ${new Date(question.toMs).toISOString()} has met its label${leftOut.size === 0 ? '' : ` (${[...leftOut].map(([why, n]) => `${n}: ${why}`).join('; ')})`}`);
  const { predictions, read } = await readPredictions(log, told);
  const rows = [...told.values()].sort(inOrderOfLabels).map((each) => pastRow(each, predictions));
  const lost = rows.filter((row) => row === null).length;
  return {
    source: 'log',
    rows: rows.filter((row) => row !== null),
    read: [...held.filter(({ fromOffset, toOffset }) => toOffset > fromOffset).map((range) => ({ ...range, rows: outcomes.rows.get(range.partition) ?? 0 })), ...read],
    leftOut: { ...Object.fromEntries(leftOut), ...(lost === 0 ? {} : { 'prediction cannot be read': lost }) },
  };
}
