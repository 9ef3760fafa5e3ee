import { compileTable, emptyContractEvidence, inferContract, observeForContract, startTableCheck, type TableVerdict } from '@millrace/core/data-quality';
import { chanceOf } from '../chance.js';
import type { Cell, Study } from '../study.js';
import { cleanFeed, type CleanFeed, type CleanRecord } from './clean-records.js';
import { faultKinds, plantFault, type PlantedKind } from './planted-faults.js';

const [referenceRows, fileRows, filesPerContract, deliveryMsMax] = [10_000, 5_000, 10, 60_000];

interface Inferred {
  readonly feed: CleanFeed;
  readonly table: ReturnType<typeof compileTable>;
}

function inferred(seed: number): Inferred {
  const feed = cleanFeed(seed);
  const evidence = emptyContractEvidence();
  for (let row = 0; row < referenceRows; row += 1) observeForContract(evidence, feed.next());
  return { feed, table: compileTable(inferContract(evidence, { id: 'orders', asOfMs: feed.newest() + deliveryMsMax / 2 })) };
}

function judged(table: Inferred['table'], records: readonly CleanRecord[], asOfMs: number): TableVerdict {
  const check = startTableCheck(table, 0);
  for (const record of records) check.observe(record);
  return check.finish(asOfMs);
}

const taken = (feed: CleanFeed, rows: number): CleanRecord[] => Array.from({ length: rows }, () => feed.next());

const cleanCell: Cell = {
  id: 'clean', about: `further clean rows after inference from ${referenceRows} rows, in files of ${fileRows}; 100,000 rows a trial`, trials: 10,
  goals: [{ figure: 'rejectedShare', atMost: 0.001 }, { figure: 'falseDatasetAlarmShare', atMost: 0.01 }],
  run(trials, seed) {
    let [rows, rejected, files, alarms, worst] = [0, 0, 0, 0, 0];
    for (let trial = 0; trial < trials; trial += 1) {
      const chance = chanceOf(seed, trial);
      const { feed, table } = inferred(seed + trial);
      let [ownRows, ownRejected] = [0, 0];
      for (let file = 0; file < 20; file += 1) {
        const records = taken(feed, fileRows);
        const verdict = judged(table, records, feed.newest() + deliveryMsMax * chance.uniform());
        ownRows += verdict.rows;
        ownRejected += verdict.rejectedRows;
        files += 1;
        if (verdict.dataset.length > 0) alarms += 1;
      }
      rows += ownRows;
      rejected += ownRejected;
      worst = Math.max(worst, ownRejected / ownRows);
    }
    return { rows, rejectedShare: rejected / rows, rejectedShareOfWorstContract: worst, falseDatasetAlarmShare: alarms / files };
  },
};

/** Findings by place, rule and kind, with how many rows they take. */
function findingsOf({ byRule, dataset }: TableVerdict): Map<string, { columns: readonly string[]; kind: string; rows: number }> {
  const found = new Map<string, { columns: readonly string[]; kind: string; rows: number }>();
  for (const { column, rule, kind, rows } of byRule) found.set(`row ${column} ${rule} ${kind}`, { columns: [column], kind, rows });
  for (const { columns, rule, kind } of dataset) found.set(`dataset ${columns.join()} ${rule} ${kind}`, { columns, kind, rows: 1 });
  return found;
}

interface Catch {
  readonly caught: boolean;
  readonly named: boolean;
  /** Rows rejected beyond those of the clean twin. */
  readonly rejectedRows: number;
}

/** Caught when something about the planted columns is found that the same file without the fault does not show. */
function catchOf(kind: PlantedKind, { feed, table }: Inferred, seed: number, trial: number): Catch {
  const chance = chanceOf(seed, trial);
  const records = taken(feed, fileRows);
  const asOfMs = feed.newest() + deliveryMsMax * chance.uniform();
  const { records: faulty, columns, delayMs } = plantFault(kind, chance, records);
  const [twin, verdict] = [judged(table, records, asOfMs), judged(table, faulty, asOfMs + delayMs)];
  const before = findingsOf(twin);
  const fresh = [...findingsOf(verdict)].filter(([key, { rows }]) => rows > (before.get(key)?.rows ?? 0)).map(([, each]) => each);
  const about = fresh.filter((each) => columns.length === 0 || each.columns.some((column) => columns.includes(column)));
  return { caught: about.length > 0, named: about.some((each) => each.kind === kind), rejectedRows: verdict.rejectedRows - twin.rejectedRows };
}

const faultCell = (kind: PlantedKind): Cell => ({
  id: `fault/${kind.replaceAll(' ', '-')}`, about: `one ${kind} in a file of ${fileRows} rows`, trials: 300,
  goals: [{ figure: 'caught', atLeast: 0.99 }],
  run(trials, seed) {
    let [caught, named] = [0, 0];
    let current = inferred(seed);
    for (let trial = 0; trial < trials; trial += 1) {
      if (trial > 0 && trial % filesPerContract === 0) current = inferred(seed + trial);
      const answer = catchOf(kind, current, seed, trial);
      if (answer.caught) caught += 1;
      if (answer.named) named += 1;
    }
    return { caught: caught / trials, rightlyNamed: named / trials };
  },
});

export const contractInferenceStudy: Study = {
  name: 'contract-inference',
  title: 'Contracts inferred from clean rows',
  method:
    'A contract is inferred from 10,000 clean rows of 14 columns (a key that counts up, event times, lognormal, normal, Pareto, count, zero-inflated, uniform with 5 % nulls, two closed lists of names with rare ones, codes, hexadecimal ids, free text with 20 % nulls, a flag; parameters drawn anew for each contract), then applied to further rows of the same feed and to files of 5,000 rows with one planted fault: 1 % of the rows for type, range, new category and duplicate key; a stretch of 10–30 % for nulls and clocks; everything from a point in the first half on for unit × 1,000, truncation, swap and encoding; a stretch of 30–60 % of which at most a fifth is left for volume; 10 to 60 minutes for late files. Caught means that a finding about the planted columns appears which the same file without the fault does not show; rightly named, that it also has the name of the fault.',
  cells: [cleanCell, ...faultKinds.map(faultCell)],
  rivals: [],
};
