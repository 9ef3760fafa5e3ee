import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { MillraceError } from '@millrace/contracts';
import { openExplainer, type Explanation, type ExplanationMethod } from '@millrace/core/explanation';
import { judgeFeatures, type Feature, type Features } from '@millrace/core/inference';
import { readTable, type Column } from '../plain-files/read-table.js';
import { show } from '../print.js';
import { openModel } from '../scoring/open-model.js';
import { call } from '../services.js';

interface ExplainRowOptions {
  readonly model: string;
  readonly features?: string;
  readonly in?: string;
  readonly background?: string;
  readonly class?: string;
  readonly rows: string;
  readonly json: boolean;
}

interface ExplainedRows {
  readonly model: string;
  readonly method?: ExplanationMethod;
  readonly against?: string;
  readonly because?: string | null;
  readonly explanations: readonly Explanation[];
}

const rowsMax = 10_000;

function featuresOf(text: string): Features {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new MillraceError('REQUEST_INVALID', `--features is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MillraceError('REQUEST_INVALID', '--features must be an object: {"hour": 17, "carrier": "UA"}');
  return value as Features;
}

/** A category may look like a number in a file; the other way round it is the file's mistake, and the judge says so. */
function cellOf(column: Column, row: number, type: Feature['type']): unknown {
  const value = column.values[row] ?? null;
  if (typeof value !== 'number') return value;
  return Number.isNaN(value) ? null : type === 'category' ? String(value) : value;
}

async function rowsIn(file: string, features: readonly Feature[], most: number): Promise<Features[]> {
  const { rows, columns } = await readTable(file, features.map(({ name }) => name));
  const types = new Map(features.map(({ name, type }) => [name, type]));
  return Array.from({ length: Math.min(rows, most) }, (_, row) => Object.fromEntries(columns.map((column) => [column.name, cellOf(column, row, types.get(column.name) ?? 'number')])));
}

/** @throws MillraceError FEATURE_* with all mistakes of the first row that has any. */
function judged(rows: readonly Features[], features: readonly Feature[]): readonly Features[] {
  for (const [index, row] of rows.entries()) {
    const mistakes = judgeFeatures(features, row);
    const [first] = mistakes;
    if (first !== undefined) throw new MillraceError(first.code, `row ${index + 1} cannot be used: ${mistakes.map(({ path, message }) => `${path} ${message}`).join('; ')}`, { mistakes });
  }
  return rows;
}

const wantedRows = (options: ExplainRowOptions, features: readonly Feature[], most: number): Promise<readonly Features[]> =>
  options.in === undefined ? Promise.resolve([featuresOf(options.features ?? '{}')]) : rowsIn(options.in, features, most);

/** Here, from the model's file. */
async function explainHere(options: ExplainRowOptions, most: number): Promise<ExplainedRows> {
  const open = await openModel(options.model);
  await open.model.close(); // the explainer loads a copy with probes in it
  const { features } = open.layout;
  const { OnnxModelRuntime } = await import('@millrace/model-runtime');
  const background = options.background === undefined ? {} : { background: judged(await rowsIn(options.background, features, Infinity), features) };
  const explainer = await openExplainer(open.bytes, new OnnxModelRuntime(), open.signature, { featureNames: features.map(({ name }) => name), ...background });
  try {
    const rows = judged(await wantedRows(options, features, most), features);
    const { method, against, because } = explainer;
    return { model: open.name, method, against, because, explanations: await explainer.explain(rows, options.class) };
  } finally {
    await explainer.close();
  }
}

/** By the gateway, with the version that answers there. */
async function explainThere(options: ExplainRowOptions, most: number): Promise<ExplainedRows> {
  const path = `/v1/models/${encodeURIComponent(options.model)}`;
  let rows: readonly Features[] = [];
  if (options.in === undefined) rows = [featuresOf(options.features ?? '{}')];
  else {
    const { features } = await call<{ features: readonly Feature[] | null }>('inference-gateway', 'GET', path);
    if (features === null) throw new MillraceError('EXPLANATION_UNAVAILABLE', `${options.model} takes no named features, so that there is nothing to give contributions to`);
    rows = await rowsIn(options.in, features, most);
  }
  const body = { instances: rows.map((features) => ({ features })), ...(options.class === undefined ? {} : { class: options.class }) };
  return { model: options.model, ...(await call<Omit<ExplainedRows, 'model'>>('inference-gateway', 'POST', `${path}/explain`, body)) };
}

const barWidth = 24;
const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(value).toPrecision(4)}`;

function bar(value: number, most: number): string {
  const length = most === 0 ? 0 : Math.round((barWidth * Math.abs(value)) / most);
  return value < 0 ? `${'▒'.repeat(length).padStart(barWidth)}│` : `${' '.repeat(barWidth)}│${'█'.repeat(length)}`;
}

/** Largest part first; to the left what speaks against, to the right what speaks for. */
function picture({ output, base, unit, class: name, contributions }: Explanation): string {
  const sorted = contributions.toSorted((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution));
  const most = Math.abs(sorted[0]?.contribution ?? 0);
  const lines = sorted.map(({ feature, value, contribution, standardError }) => ({
    label: `${feature} = ${value === null ? '?' : String(value)}`,
    part: `${signed(contribution)}${standardError === undefined ? '' : ` ± ${standardError.toPrecision(2)}`}`,
    bar: bar(contribution, most),
  }));
  const labelWidth = Math.max(6, ...lines.map(({ label }) => label.length));
  const partWidth = Math.max(...[signed(base), signed(output), ...lines.map(({ part }) => part)].map(({ length }) => length));
  const row = (label: string, part: string, rest = ''): string => `  ${label.padEnd(labelWidth)}  ${part.padStart(partWidth)}  ${rest}`.trimEnd();
  const share = unit === 'log-odds' ? `probability ${(1 / (1 + Math.exp(-output))).toPrecision(3)}` : '';
  return [`${unit}${name === undefined ? '' : ` of ${name}`}`, row('base', signed(base)), ...lines.map(({ label, part, bar: drawn }) => row(label, part, drawn)), row('output', signed(output), share)].join('\n');
}

function forPeople({ model, method, against, because, explanations }: ExplainedRows): string {
  const ways = { 'tree-path-dependent': 'exact, by the trees', 'tree-interventional': 'exact, by the trees', permutation: 'sampled orders of the features, ± one standard error' } as const;
  const head = [`${model}${method === undefined ? '' : `: ${ways[method]}`}`, ...(against === undefined ? [] : [`base: ${against}`]), ...(because === null || because === undefined ? [] : [`not taken apart as trees: ${because}`])].join('\n');
  return [head, ...explanations.map((explanation, row) => `${explanations.length === 1 ? '' : `row ${row + 1}: `}${picture(explanation)}`)].join('\n\n');
}

/** `millrace explain-row`: which features made the answer, and how much each. */
export function addExplainRowCommand(program: Command): void {
  program
    .command('explain-row')
    .description('which features made a model’s answer for a row, and by how much (Shapley values)')
    .requiredOption('--model <model>', 'a file or folder, or the name of a model in service (model[@version|alias] with --background)')
    .option('--features <json>', 'one row, features by name')
    .option('--in <file>', 'rows from .csv, .jsonl or .parquet, a column per feature')
    .option('--background <file>', 'rows to compare with, for models that are no trees or carry no training counts')
    .option('--class <name>', 'the class to explain; default: the positive one, or the likeliest of several')
    .option('--rows <n>', `at most so many rows of --in, up to ${rowsMax}`, '20')
    .option('--json', 'for machines', false)
    .addHelpText('after', `
The contributions of all features and the base add up to the output: the model’s own score before the logistic function or
softmax, or its value. One-hot columns inside the model are summed into their feature.

Examples:
  $ millrace explain-row --model ./model.onnx --features '{"hour": 17, "distance": 1400, "carrier": "UA"}'
  $ millrace explain-row --model ./models/iris --in flowers.csv --background reference.parquet --json
  $ millrace explain-row --model flight-delays --features '{"hour": 17, "distance": 1400, "carrier": "UA"}'`)
    .action(async (options: ExplainRowOptions) => {
      if ((options.features === undefined) === (options.in === undefined)) throw new MillraceError('REQUEST_INVALID', 'give either --features or --in');
      const most = Number(options.rows);
      if (!Number.isInteger(most) || most < 1 || most > rowsMax) throw new MillraceError('REQUEST_INVALID', `--rows must be a number from 1 to ${rowsMax}`);
      const isLocal = existsSync(options.model) || options.background !== undefined || options.model.includes('@');
      const explained = await (isLocal ? explainHere(options, most) : explainThere(options, most));
      show(options.json, explained, () => forPeople(explained));
    });
}
