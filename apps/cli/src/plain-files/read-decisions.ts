import { MillraceError } from '@millrace/contracts';
import { armDecisions, type ArmPolicy, type LoggedDecision } from '@millrace/core/rollout';
import { columnOf, numberAt, refuseRow, textAt } from './cells.js';
import { readTable, type Column, type Table } from './read-table.js';

function needed(file: string, column: Column, index: number): number {
  return numberAt(file, column, index) ?? refuseRow(file, index + 1, `${column.name} is missing`);
}

function propensityAt(file: string, column: Column, index: number): number {
  const value = needed(file, column, index);
  return value > 0 && value <= 1 ? value : refuseRow(file, index + 1, `${column.name} is ${value}; what was done had a probability above 0 and at most 1`);
}

function shareAt(file: string, column: Column, index: number): number {
  const value = needed(file, column, index);
  return value >= 0 && value <= 1 ? value : refuseRow(file, index + 1, `${column.name} is ${value}, which is no probability`);
}

const rowsOf = <T>({ rows }: Table, at: (index: number) => T): T[] => Array.from({ length: rows }, (_, index) => at(index));

function unitAt(file: string, column: Column | undefined, index: number): string {
  if (column === undefined) return String(index);
  return textAt(column, index) ?? refuseRow(file, index + 1, 'unit is missing');
}

/** Arms with their propensities, seen by a policy over the same arms. */
function byArm(file: string, table: Table, policy: ArmPolicy): LoggedDecision[] {
  const [unit, slice] = [columnOf(file, table, 'unit'), columnOf(file, table, 'slice')];
  const [arm, propensity, loss] = [columnOf(file, table, 'arm', true), columnOf(file, table, 'propensity', true), columnOf(file, table, 'loss', true)];
  return armDecisions(rowsOf(table, (index) => ({
    unit: unitAt(file, unit, index), arm: textAt(arm, index) ?? refuseRow(file, index + 1, 'arm is missing'), propensity: propensityAt(file, propensity, index), loss: needed(file, loss, index), slice: slice === undefined ? null : textAt(slice, index),
  })), policy);
}

/** Decisions whose file says itself what the policy in question would do. */
function byTarget(file: string, table: Table): LoggedDecision[] {
  const unit = columnOf(file, table, 'unit');
  const [propensity, target, loss] = [columnOf(file, table, 'propensity', true), columnOf(file, table, 'target', true), columnOf(file, table, 'loss', true)];
  const [logged, aimed] = [columnOf(file, table, 'expected_logged'), columnOf(file, table, 'expected_target')];
  if ((logged === undefined) !== (aimed === undefined)) throw new MillraceError('REQUEST_INVALID', `${file} has only one of expected_logged and expected_target; the doubly robust value needs both`);
  return rowsOf(table, (index) => ({
    unit: unitAt(file, unit, index), propensity: propensityAt(file, propensity, index), target: shareAt(file, target, index), loss: needed(file, loss, index),
    expected: logged === undefined || aimed === undefined ? null : { logged: needed(file, logged, index), target: needed(file, aimed, index) },
  }));
}

/**
 * Reads what was done by chance, and what came of it.
 * @param policy who should have answered; null: the file's column `target` says it.
 * @throws MillraceError REQUEST_INVALID naming the row, counted from 1.
 */
export async function readDecisions(file: string, policy: ArmPolicy | null): Promise<LoggedDecision[]> {
  const table = await readTable(file);
  if (table.rows === 0) throw new MillraceError('REQUEST_INVALID', `${file} has no rows`);
  if (policy !== null) return byArm(file, table, policy);
  if (columnOf(file, table, 'target') === undefined) throw new MillraceError('REQUEST_INVALID', `${file} has no column target; say with --policy which arm should have answered, such as --policy candidate=1`);
  return byTarget(file, table);
}
