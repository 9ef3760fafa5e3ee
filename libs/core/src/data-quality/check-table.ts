import type { CompiledTable } from './compile-contract.js';
import { faultKindOf, type FaultKind } from './fault-kinds.js';
import { watchRule, type DatasetFinding } from './judge-table.js';

/** One broken rule of one row. */
export interface RowFinding {
  /** From 1, without a header. */
  readonly row: number;
  readonly column: string;
  readonly rule: string;
  readonly kind: FaultKind;
  readonly value: unknown;
  readonly message: string;
}

export interface TableVerdict {
  readonly rows: number;
  /** Rows that break at least one rule. */
  readonly rejectedRows: number;
  readonly rejectedShare: number;
  readonly byRule: readonly { readonly column: string; readonly rule: string; readonly kind: FaultKind; readonly rows: number; readonly firstRow: number; readonly example: string }[];
  /** The first of them, in the order of the rows. */
  readonly examples: readonly RowFinding[];
  readonly dataset: readonly DatasetFinding[];
  readonly verdict: 'kept' | 'broken';
}

export interface TableCheck {
  observe(record: Readonly<Record<string, unknown>>): void;
  /** @param asOfMs when the file was delivered, for the age of its newest event; null leaves that out. */
  finish(asOfMs: number | null): TableVerdict;
}

const swapRowsMax = 60;

/** Pairs of columns whose exchange mends most of the rejected rows. */
function swapsAmong(table: CompiledTable, rejected: readonly Readonly<Record<string, unknown>>[]): { columns: [string, string]; share: number } | null {
  const names = table.fields.map(({ name }) => name);
  let best: { columns: [string, string]; share: number } | null = null;
  names.forEach((a, index) => {
    for (const b of names.slice(index + 1)) {
      const mended = rejected.filter((record) => table.judge({ ...record, [a]: record[b], [b]: record[a] }).admitted).length;
      const share = mended / rejected.length;
      if (share >= 0.8 && share > (best?.share ?? 0)) best = { columns: [a, b], share };
    }
  });
  return best;
}

/** Two medians that lie in each other's place are those of exchanged columns. */
function swappedMedians(findings: readonly DatasetFinding[], table: CompiledTable): DatasetFinding[] {
  const medians = findings.filter(({ rule }) => rule === 'median');
  const ruleOf = (column: string | undefined) => table.datasetRules.find(({ metric, columns }) => metric === 'median' && columns[0] === column);
  const fits = (a: DatasetFinding, b: DatasetFinding): boolean => {
    const rule = ruleOf(b.columns[0]);
    return rule !== undefined && a.value >= rule.low && a.value <= rule.high;
  };
  for (const a of medians) {
    const b = medians.find((each) => each !== a && fits(a, each) && fits(each, a));
    if (b !== undefined) return findings.map((each) => (each === a || each === b ? { ...each, kind: 'swapped columns' as const } : each));
  }
  return [...findings];
}

const swapFinding = ({ columns, share }: { columns: [string, string]; share: number }, row: number): DatasetFinding => ({
  rule: 'swap', columns, kind: 'swapped columns', value: 100 * share, low: null, high: null, row,
  message: `exchanging ${columns.join(' and ')} mends ${Math.round(100 * share)} % of the rejected rows looked at`,
});

/** Judges the rows of a file one by one and together; a pass over it, with the keys of all rows in memory where duplicates are judged. */
export function startTableCheck(table: CompiledTable, examplesMax = 100): TableCheck {
  const watches = table.datasetRules.map((rule) => watchRule(rule, table));
  const properties = new Map(table.properties.map((property) => [property.name, property]));
  const byRule = new Map<string, { column: string; rule: string; kind: FaultKind; rows: number; firstRow: number; example: string }>();
  const [examples, rejected]: [RowFinding[], Readonly<Record<string, unknown>>[]] = [[], []];
  let [rows, rejectedRows, firstRejected] = [0, 0, 0];
  return {
    observe(record) {
      rows += 1;
      for (const watch of watches) watch.observe(record, rows);
      const judgement = table.judge(record);
      if (judgement.admitted) return;
      rejectedRows += 1;
      if (rejected.length === 0) firstRejected = rows;
      if (rejected.length < swapRowsMax) rejected.push(record);
      for (const violation of judgement.violations) {
        const { field: column, rule, value, message } = violation;
        const kind = faultKindOf(violation, properties.get(column));
        const key = `${column}\0${rule}\0${kind}`;
        const known = byRule.get(key);
        if (known === undefined) byRule.set(key, { column, rule, kind, rows: 1, firstRow: rows, example: message });
        else known.rows += 1;
        if (examples.length < examplesMax) examples.push({ row: rows, column, rule, kind, value, message });
      }
    },
    finish(asOfMs) {
      const dataset = swappedMedians(watches.flatMap((watch) => watch.findings(rows, asOfMs)), table);
      const swap = rejected.length >= 5 ? swapsAmong(table, rejected) : null;
      if (swap !== null) dataset.push(swapFinding(swap, firstRejected));
      return {
        rows, rejectedRows, rejectedShare: rows === 0 ? 0 : rejectedRows / rows, examples, dataset,
        byRule: [...byRule.values()].sort((a, b) => b.rows - a.rows || a.firstRow - b.firstRow),
        verdict: rejectedRows > 0 || dataset.length > 0 ? 'broken' : 'kept',
      };
    },
  };
}
