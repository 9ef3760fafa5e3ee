import { emptyKll, kllQuantiles, observeKll, wilsonInterval } from '../statistics/index.js';
import type { CompiledTable } from './compile-contract.js';
import type { DatasetRule } from './dataset-rules.js';
import type { FaultKind } from './fault-kinds.js';
import { isIsoTimestamp, isoTimestampMs } from './iso-time.js';

/** A limit that all rows together broke. */
export interface DatasetFinding {
  readonly rule: string;
  readonly columns: readonly string[];
  readonly kind: FaultKind;
  /** What was measured, in the unit of the rule, and the limits. */
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
  /** First row that shows it, from 1; null where no row does. */
  readonly row: number | null;
  readonly message: string;
}

export interface RuleWatch {
  observe(record: Readonly<Record<string, unknown>>, row: number): void;
  findings(rows: number, asOfMs: number | null): DatasetFinding[];
}

/** A share counts as above its limit only when its interval lies above it: 1 in 1,000 for a share at the limit. */
const shareConfidence = 0.998;
const medianRowsMin = 50;

const finding = (rule: DatasetRule, kind: FaultKind, value: number, row: number | null, message: string): DatasetFinding => ({
  rule: rule.metric, columns: rule.columns, kind, value, row, message,
  low: Number.isFinite(rule.low) ? rule.low : null,
  high: Number.isFinite(rule.high) ? rule.high : null,
});

const outside = ({ low, high, inclusive }: DatasetRule, value: number): boolean => (inclusive ? value < low || value > high : value <= low || value >= high);

/** A count, or its share of `of` rows, against the limits. */
function judgeCount(rule: DatasetRule, kind: FaultKind, hits: number, of: number, row: number | null, what: string): DatasetFinding[] {
  if (of === 0) return [];
  const value = rule.unit === 'percent' ? (100 * hits) / of : hits;
  if (!outside(rule, value)) return [];
  if (rule.unit === 'percent') {
    const { low, high } = wilsonInterval(hits, of, shareConfidence);
    if (!(100 * low > rule.high || 100 * high < rule.low)) return [];
  }
  return [finding(rule, kind, value, row, `${what}: ${hits} of ${of} rows`)];
}

function watchHits(rule: DatasetRule, kind: FaultKind, what: string, hit: (value: unknown) => boolean | null): RuleWatch {
  const [column = ''] = rule.columns;
  let [hits, looked, firstRow]: [number, number, number | null] = [0, 0, null];
  return {
    observe(record, row) {
      const answer = hit(record[column] ?? null);
      if (answer === null) return;
      looked += 1;
      if (!answer) return;
      hits += 1;
      firstRow ??= row;
    },
    findings: () => judgeCount(rule, kind, hits, looked, firstRow, `${column} ${what}`),
  };
}

function watchDuplicates(rule: DatasetRule, eventTime: boolean): RuleWatch {
  const seen = new Set<string>();
  let [duplicates, rows, firstRow]: [number, number, number | null] = [0, 0, null];
  return {
    observe(record, row) {
      const values = rule.columns.map((column) => record[column] ?? null);
      // What is missing is another rule's story.
      if (values.includes(null)) return;
      const key = values.length === 1 ? String(values[0]) : JSON.stringify(values);
      rows += 1;
      if (!seen.has(key)) {
        seen.add(key);
        return;
      }
      duplicates += 1;
      firstRow ??= row;
    },
    findings: () => judgeCount(rule, eventTime ? 'stale clock' : 'duplicate key', duplicates, rows, firstRow, `${rule.columns.join(', ')} came before`),
  };
}

const timeOf = (record: Readonly<Record<string, unknown>>, column: string): number | null => {
  const value = record[column];
  return isIsoTimestamp(value) ? isoTimestampMs(value) : null;
};

function watchRows(rule: DatasetRule, eventTime: string): RuleWatch {
  const counts = new Map<number, { rows: number; first: number }>();
  const { windowMs } = rule;
  return {
    observe(record, row) {
      if (windowMs === null) return;
      const at = timeOf(record, eventTime);
      if (at === null) return;
      const window = Math.floor(at / windowMs);
      const count = counts.get(window);
      if (count === undefined) counts.set(window, { rows: 1, first: row });
      else count.rows += 1;
    },
    findings(rows) {
      if (windowMs === null) return outside(rule, rows) ? [finding(rule, rows <= rule.low ? 'volume drop' : 'volume rise', rows, null, `${rows} rows`)] : [];
      const windows = [...counts.keys()].sort((a, b) => a - b);
      const [first = 0, last = 0] = [windows[0], windows.at(-1)];
      let [worst, broken]: [DatasetFinding | null, number] = [null, 0];
      // The first and the last window may be cut by the file. Gaps longer than a million windows are named once anyway.
      for (let window = first + 1; window < Math.min(last, first + 1e6); window += 1) {
        const { rows: value, first: row } = counts.get(window) ?? { rows: 0, first: null };
        if (!outside(rule, value)) continue;
        broken += 1;
        worst ??= finding(rule, value <= rule.low ? 'volume drop' : 'volume rise', value, row, `${value} rows in the window from ${new Date(window * windowMs).toISOString()}`);
      }
      return worst === null ? [] : [{ ...worst, message: `${worst.message}${broken > 1 ? `, and ${broken - 1} more windows` : ''}` }];
    },
  };
}

function watchMedian(rule: DatasetRule): RuleWatch {
  const [column = ''] = rule.columns;
  const sketch = emptyKll({ k: 400 });
  return {
    observe(record) {
      const value = record[column];
      if (typeof value === 'number' && Number.isFinite(value)) observeKll(sketch, value);
    },
    findings() {
      const [median] = kllQuantiles(sketch, [0.5]);
      if (sketch.n < medianRowsMin || median === null || median === undefined || !outside(rule, median)) return [];
      const kind: FaultKind = median > 20 * Math.abs(rule.high) || Math.abs(median) * 20 < Math.abs(rule.low) ? 'unit' : 'distribution';
      return [finding(rule, kind, median, null, `the median of ${column} is ${median}`)];
    },
  };
}

/** Texts cut at a length pile up there. */
function watchLengths(rule: DatasetRule): RuleWatch {
  const [column = ''] = rule.columns;
  const lengths = new Map<number, { texts: number; first: number }>();
  let texts = 0;
  return {
    observe(record, row) {
      const value = record[column];
      if (typeof value !== 'string') return;
      texts += 1;
      const known = lengths.get(value.length);
      if (known === undefined) lengths.set(value.length, { texts: 1, first: row });
      else known.texts += 1;
    },
    findings() {
      const [[length, most] = [0, { texts: 0, first: 0 }]] = [...lengths].sort(([, a], [, b]) => b.texts - a.texts);
      return judgeCount(rule, 'truncated text', most.texts, texts, most.first, `${column} is ${length} characters long`);
    },
  };
}

/** Rows in a row with the same value. */
function watchRuns(rule: DatasetRule): RuleWatch {
  const [column = ''] = rule.columns;
  let [last, run, start, longest, longestStart]: [unknown, number, number, number, number] = [undefined, 0, 0, 0, 0];
  return {
    observe(record, row) {
      const value = record[column] ?? null;
      if (value === null) return;
      if (value !== last) [last, run, start] = [value, 0, row];
      run += 1;
      if (run > longest) [longest, longestStart] = [run, start];
    },
    findings: () => (longest > 0 && outside(rule, longest) ? [finding(rule, 'stale clock', longest, longestStart, `${column} is the same in ${longest} rows on end`)] : []),
  };
}

function watchLatency(rule: DatasetRule): RuleWatch {
  const [column = ''] = rule.columns;
  let newest = -Infinity;
  return {
    observe(record) {
      newest = Math.max(newest, timeOf(record, column) ?? -Infinity);
    },
    findings(_, asOfMs) {
      if (asOfMs === null || newest === -Infinity || asOfMs - newest <= rule.high) return [];
      return [finding(rule, 'late feed', asOfMs - newest, null, `the newest ${column} is ${new Date(newest).toISOString()}, ${Math.round((asOfMs - newest) / 1_000)} s old`)];
    },
  };
}

function validity({ validValues, pattern }: DatasetRule): (value: unknown) => boolean | null {
  return (value) => (value === null ? null : validValues !== null ? !validValues.has(value) : !(typeof value === 'string' && pattern?.test(value) === true));
}

/** What watches one rule over the rows of a file. */
export function watchRule(rule: DatasetRule, { eventTimeField }: CompiledTable): RuleWatch {
  switch (rule.metric) {
    case 'nullValues': return watchHits(rule, 'null burst', 'is missing', (value) => value === null);
    case 'missingValues': return watchHits(rule, 'null burst', 'is missing', (value) => rule.missingValues?.has(value) === true);
    case 'invalidValues': return watchHits(rule, rule.validValues === null ? 'invalid values' : 'new category', 'has a value that is not in the contract', validity(rule));
    case 'duplicateValues': return watchDuplicates(rule, rule.columns.length === 1 && rule.columns[0] === eventTimeField);
    case 'rowCount': return watchRows(rule, eventTimeField);
    case 'median': return watchMedian(rule);
    case 'commonestLengthShare': return watchLengths(rule);
    case 'longestRun': return watchRuns(rule);
    case 'latency': return watchLatency(rule);
  }
}
