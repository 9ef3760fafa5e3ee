import { MillraceError } from '@millrace/contracts';
import { categoricalColumn, numbersOfTexts, numericalColumn, type ColumnSample, type NamedColumn } from '@millrace/core/drift';
import type { Column, Table, TextColumn } from './read-table.js';

export interface ColumnPairs {
  readonly compared: NamedColumn[];
  readonly notCompared: { readonly name: string; readonly why: string }[];
}

const isEmpty = ({ values }: TextColumn): boolean => values.every((value) => value === null || value === '');

/** A column of texts most of which are numbers, such as one with a stray “n/a”. */
function holdsNumbers({ values }: TextColumn): boolean {
  const [texts, numbers] = values.reduce(([all, good], value) => (value === null || value.trim() === '' ? [all, good] : [all + 1, good + Number(!Number.isNaN(Number(value)))]), [0, 0]);
  return texts > 0 && 2 * numbers > texts;
}

/** What a column is follows the reference; a column of texts follows the other side where that has numbers. */
function samplesOf(reference: Column, current: Column): [ColumnSample, ColumnSample] {
  const one = (column: Column): ColumnSample => (column.kind === 'text' ? categoricalColumn(column.values) : numericalColumn(column.values));
  if (reference.kind !== 'text' && current.kind === 'text') return [one(reference), numbersOfTexts(current.values)];
  if (reference.kind === 'text' && current.kind !== 'text' && (isEmpty(reference) || holdsNumbers(reference))) return [numbersOfTexts(reference.values), one(current)];
  if (reference.kind === 'text' && current.kind === 'text' && holdsNumbers(reference)) return [numbersOfTexts(reference.values), numbersOfTexts(current.values)];
  return [one(reference), one(current)];
}

/**
 * The columns of two tables, side by side.
 * @param wanted only these; without, all of the reference but times, which always move.
 * @throws MillraceError REQUEST_INVALID when the reference lacks a wanted column, or nothing is left to compare.
 */
export function columnPairs(reference: Table, current: Table, wanted?: readonly string[]): ColumnPairs {
  const find = (table: Table, name: string): Column | undefined => table.columns.find((column) => column.name === name);
  const names = wanted ?? reference.columns.map(({ name }) => name);
  const compared: NamedColumn[] = [];
  const notCompared: ColumnPairs['notCompared'] = [];
  for (const name of names) {
    const [before, now] = [find(reference, name), find(current, name)];
    if (before === undefined) throw new MillraceError('REQUEST_INVALID', `the reference has no column ${name}; its columns are ${reference.columns.map((column) => column.name).join(', ')}`);
    if (wanted === undefined && before.kind === 'time') notCompared.push({ name, why: 'it holds times, which always move (name it in --columns to compare it)' });
    else if (now === undefined) compared.push({ name, reference: samplesOf(before, before)[0], current: null });
    else {
      const [a, b] = samplesOf(before, now);
      compared.push({ name, reference: a, current: b });
    }
  }
  if (wanted === undefined) for (const { name } of current.columns) if (find(reference, name) === undefined) notCompared.push({ name, why: 'the reference does not have it' });
  if (compared.length === 0) throw new MillraceError('REQUEST_INVALID', 'there is no column to compare');
  return { compared, notCompared };
}
