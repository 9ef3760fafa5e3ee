import { interpretOutput, judgeFeatures } from '@millrace/core/inference';
import type { OpenModel } from '../scoring/open-model.js';

export type Answer = ReturnType<typeof interpretOutput>[number];

const rowsPerRun = 4_096;

/** What a model says of rows; null where its features are not what it takes, told to `mistaken` with the reason. */
export async function askModel({ layout, model, signature }: OpenModel, rows: readonly Readonly<Record<string, unknown>>[], mistaken: (reason: string) => void): Promise<(Answer | null)[]> {
  const given = rows.map((features) => {
    const own = Object.fromEntries(layout.features.flatMap(({ name }) => (Object.hasOwn(features, name) ? [[name, features[name]]] : [])));
    const [mistake] = judgeFeatures(layout.features, own);
    if (mistake === undefined) return own;
    mistaken(`${mistake.path} ${mistake.message}`);
    return null;
  });
  const usable = given.filter((row) => row !== null);
  const answers: Answer[] = [];
  for (let start = 0; start < usable.length; start += rowsPerRun) {
    const part = usable.slice(start, start + rowsPerRun);
    answers.push(...interpretOutput(await model.run(layout.feedsOf(part)), signature, part.length));
  }
  let next = 0;
  return given.map((row) => (row === null ? null : (answers[next++] ?? null)));
}
