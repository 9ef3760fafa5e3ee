import { interpretOutput, toFeeds, type Feature, type Prediction } from '@millrace/core/inference';
import type { ModelSignature } from '@millrace/contracts';
import { lossOf, type Task } from '@millrace/core/statistics';
import type { LoadedModel } from '@millrace/model-runtime';
import { parquet } from './dataset-sql.js';
import { rowsOf, withDuckDb } from './parquet.js';

/** One row of a dataset part, with the label as the metrics want it: boolean, text or number by task. */
export interface LabelledRow {
  readonly recordId: string;
  /** Since the epoch. */
  readonly eventTimeMs: number;
  readonly features: Readonly<Record<string, unknown>>;
  readonly label: boolean | string | number;
}

const batchRows = 1_024;

/** In the order of the file, which is that of event time. */
export async function readPart(file: string, task: Task): Promise<LabelledRow[]> {
  const rows = await withDuckDb((connection) => rowsOf(connection, `SELECT * FROM ${parquet(file)}`));
  return rows.map(({ record_id, event_time, label, ...features }) => ({ recordId: String(record_id), eventTimeMs: event_time instanceof Date ? event_time.getTime() : NaN, features, label: labelOf(label, task) }));
}

function labelOf(value: unknown, task: Task): boolean | string | number {
  if (task === 'binary') return Number(value) === 1;
  return task === 'multiclass' ? String(value) : Number(value);
}

/**
 * What the model says of each row, through the code that answers requests. A binary answer is its probability alone: its
 * label column is 1 for the positive class, whatever that class is called.
 */
export async function scoreRows(model: LoadedModel, signature: ModelSignature, features: readonly Feature[], rows: readonly LabelledRow[]): Promise<Prediction[]> {
  const predictions: Prediction[] = [];
  for (let start = 0; start < rows.length; start += batchRows) {
    const batch = rows.slice(start, start + batchRows);
    const outputs = await model.run(toFeeds(features, batch.map((row) => row.features)));
    predictions.push(...interpretOutput(outputs, signature, batch.length));
  }
  return signature.task === 'binary' ? predictions.map(({ probability }) => (probability === undefined ? {} : { probability })) : predictions;
}

/** Mean, sum and squares of candidate loss − champion loss, row by row. Rows that either model cannot be judged on are left out. */
export function pairedLosses(task: Task, rows: readonly LabelledRow[], candidate: readonly Prediction[], champion: readonly Prediction[]): { n: number; sum: number; squares: number } {
  let [n, sum, squares] = [0, 0, 0];
  rows.forEach(({ label }, index) => {
    const [ours, theirs] = [lossOf(task, candidate[index] ?? {}, label), lossOf(task, champion[index] ?? {}, label)];
    if (ours === null || theirs === null) return;
    n += 1;
    sum += ours - theirs;
    squares += (ours - theirs) ** 2;
  });
  return { n, sum, squares };
}

/** The numbers of an answer, in an order that does not depend on the answer. */
export function numbersOf({ probability, probabilities, value }: Prediction): number[] {
  if (probability !== undefined) return [probability];
  if (probabilities !== undefined) return Object.keys(probabilities).sort().map((name) => probabilities[name] ?? NaN);
  return [value ?? NaN];
}
