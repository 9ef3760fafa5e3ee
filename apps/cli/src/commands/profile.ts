import type { Command } from 'commander';
import { distinctCount, emptyFeatureState, featureCount, frequentItems, hyperLogLogRelativeError, kllQuantiles, kllRankErrorOfAll, kllRanks, momentsDeviation, momentsMean, observeFeature, type FeatureState, type NumericState } from '@millrace/core/statistics';
import { scanColumns, type ScannedColumn } from '../plain-files/scan-records.js';
import { show, table, type Cell } from '../print.js';
import { sparklines } from '../sparkline.js';

const quantiles = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99] as const;
const [topShown, topReported, binCount] = [3, 20, 12];

interface ColumnProfile {
  readonly name: string;
  readonly type: ScannedColumn['kind'];
  readonly rows: number;
  readonly nulls: number;
  readonly nullShare: number | null;
  /** NaN is a null; infinities are counted here and nowhere else. */
  readonly infinite: number;
  readonly distinct: number;
  readonly distinctError: number;
  readonly min: number | string | null;
  readonly max: number | string | null;
  readonly mean: number | string | null;
  /** In the unit of the values; milliseconds for times. */
  readonly sd: number | null;
  readonly quantiles: Readonly<Record<string, number | string | null>> | null;
  /** Largest error of the quantiles' ranks, 99 %; 0 where all values are kept. */
  readonly rankError: number | null;
  /** Bounds of each count; equal where it is exact. */
  readonly top: readonly { readonly value: string | number; readonly atLeast: number; readonly atMost: number; readonly share: number }[];
  readonly histogram: { readonly edges: readonly (number | string)[]; readonly shares: readonly number[] } | null;
}

type Place = (x: number) => number | string;

const asIs: Place = (x) => x;
const asTime: Place = (x) => (Math.abs(x) <= 8.64e15 ? new Date(x).toISOString() : x);

/** Twelve bins of equal width between the 1 % and the 99 % quantile; what lies outside is in the first and the last. */
function histogramOf({ quantiles: sketch }: NumericState, place: Place): ColumnProfile['histogram'] {
  const [low, high] = kllQuantiles(sketch, [0.01, 0.99]);
  if (low === null || low === undefined || high === null || high === undefined) return null;
  const edges = low === high ? [] : Array.from({ length: binCount - 1 }, (_, index) => low + (high / binCount - low / binCount) * (index + 1));
  const ranks = [0, ...kllRanks(sketch, edges).map((rank) => rank ?? 0), 1];
  return { edges: edges.map(place), shares: ranks.slice(1).map((rank, index) => rank - (ranks[index] ?? 0)) };
}

function numericPart(state: NumericState, place: Place) {
  const { moments } = state;
  const some = moments.n > 0;
  const mean = momentsMean(moments);
  const values = kllQuantiles(state.quantiles, quantiles);
  return {
    min: some ? place(moments.min) : null,
    max: some ? place(moments.max) : null,
    mean: mean === null ? null : place(mean),
    sd: momentsDeviation(moments),
    quantiles: Object.fromEntries(quantiles.map((q, index) => {
      const value = values[index] ?? null;
      return [String(q), value === null ? null : place(value)];
    })),
    rankError: moments.n <= state.quantiles.k ? 0 : kllRankErrorOfAll(state.quantiles.k),
    histogram: histogramOf(state, place),
  };
}

const nothingNumeric = { min: null, max: null, mean: null, sd: null, quantiles: null, rankError: null, histogram: null } as const;

function profileOf({ name, kind }: ScannedColumn, state: FeatureState, rows: number): ColumnProfile {
  const place = kind === 'time' ? asTime : asIs;
  const present = featureCount(state);
  const distinct = Math.min(present, Math.round(distinctCount(state.distinct)));
  const top = state.kind === 'number' ? frequentItems(state.frequent, topReported).map((each) => ({ ...each, item: place(each.item) })) : frequentItems(state.frequent, topReported);
  return {
    name, type: kind, rows, nulls: state.nulls, nullShare: rows === 0 ? null : state.nulls / rows, infinite: state.odd,
    distinct: state.frequent.shed === 0 ? state.frequent.places.size : distinct,
    distinctError: state.frequent.shed === 0 ? 0 : Math.ceil(distinct * hyperLogLogRelativeError),
    ...(state.kind === 'number' ? numericPart(state, place) : nothingNumeric),
    top: top.map(({ item, atLeast, atMost }) => ({ value: item, atLeast, atMost, share: atLeast / present })),
  };
}

const short = (value: Cell): Cell => {
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(4)));
  const text = String(value ?? '–').replaceAll(/\s+/gu, ' ').replace(/:\d\d\.\d{3}Z$/u, 'Z');
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
};

const percent = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

/** Values that hardly repeat have no top worth the name. */
function topText({ top, rows }: ColumnProfile): string {
  const shown = top.filter(({ atLeast }) => atLeast > 1 && atLeast >= rows / 1_000).slice(0, topShown);
  return shown.map(({ value, share }) => `${short(value)} ${percent(share)}`).join(', ') || '–';
}

function forPeople(file: string, rows: number, columns: readonly ColumnProfile[]): string {
  const head = `${file}: ${rows.toLocaleString('en-US')} rows, ${columns.length} columns`;
  const bars = columns.map(({ histogram, top }) => sparklines([histogram?.shares ?? top.slice(0, binCount).map(({ share }) => share)])[0] ?? '');
  const lines = columns.map((column, index): Cell[] => [
    column.name, column.type, column.nullShare === null ? '–' : percent(column.nullShare), `${column.distinctError > 0 ? '≈ ' : ''}${column.distinct.toLocaleString('en-US')}`,
    short(column.min), short(column.quantiles?.['0.25']), short(column.quantiles?.['0.5']), short(column.quantiles?.['0.75']), short(column.max), short(column.mean), column.type === 'time' && column.sd !== null ? `${Math.round(column.sd / 1_000)} s` : short(column.sd), bars[index], topText(column),
  ]);
  return [head, '', table(['column', 'type', 'nulls', 'distinct', 'min', '25 %', '50 %', '75 %', 'max', 'mean', 'sd', 'histogram', 'most frequent'], lines)].join('\n');
}

async function profile(file: string, { json }: { json: boolean }): Promise<void> {
  let [columns, states]: [readonly ScannedColumn[], FeatureState[]] = [[], []];
  const rows = await scanColumns(file, (found) => {
    columns = found;
    states = found.map(({ kind }, index) => (kind === 'text' ? emptyFeatureState('category') : emptyFeatureState('number', index, 64)));
    return (chunk) => chunk.forEach((cells, index) => {
      const state = states[index];
      if (state !== undefined) for (const cell of cells) observeFeature(state, cell === null ? null : typeof cell === 'number' ? cell : String(cell));
    });
  });
  const profiles = columns.flatMap((column, index) => {
    const state = states[index];
    return state === undefined ? [] : [profileOf(column, state, rows)];
  });
  show(json, { file, rows, columns: profiles }, () => forPeople(file, rows, profiles));
}

/** `millrace profile`: what is in a file, in one pass and little memory. */
export function addProfileCommand(program: Command): void {
  program
    .command('profile')
    .description('what is in each column of a file: nulls, distinct values, quantiles, moments, most frequent values')
    .argument('<file>', 'CSV, TSV, JSON lines or Parquet')
    .option('--json', 'for machines: everything, with the errors of what is approximate', false)
    .addHelpText('after', `
Examples:
  $ millrace profile flights.parquet
  $ millrace profile flights.csv --json | jq '.columns[] | {name, nullShare, distinct}'

One pass with sketches of fixed size per column. Counts, minimum, maximum and mean are exact; quantiles are right in rank to
0.86 % of the rows, distinct counts (≈) to 4.2 %, counts of frequent values lie between their bounds. Exact up to 400 rows
(quantiles) and 128 distinct values. The histogram goes from the 1 % to the 99 % quantile; of text it shows the shares of the most frequent values.`)
    .action(profile);
}
