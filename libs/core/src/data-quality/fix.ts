import { Type, type Static } from '@sinclair/typebox';
import { matches, MillraceError, mistakesOf } from '@millrace/contracts';

const closed = { additionalProperties: false } as const;
const Scalar = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);
const Condition = Type.Object(
  { field: Type.String(), equals: Type.Optional(Scalar), above: Type.Optional(Type.Number()), below: Type.Optional(Type.Number()), missing: Type.Optional(Type.Boolean()) },
  closed,
);
const when = { when: Type.Optional(Condition) };

const Operation = Type.Union([
  Type.Object({ rename: Type.Object({ from: Type.String(), to: Type.String() }, closed), ...when }, closed),
  Type.Object({ multiply: Type.Object({ field: Type.String(), by: Type.Number() }, closed), ...when }, closed),
  Type.Object({ add: Type.Object({ field: Type.String(), by: Type.Number() }, closed), ...when }, closed),
  Type.Object({ round: Type.Object({ field: Type.String() }, closed), ...when }, closed),
  Type.Object({ set: Type.Object({ field: Type.String(), value: Scalar }, closed), ...when }, closed),
  Type.Object({ remove: Type.Object({ field: Type.String() }, closed), ...when }, closed),
]);
type Operation = Static<typeof Operation>;

/** Ordered operations that mend a producer’s known mistake; each may be bound to a condition on the record. */
export const Fix = Type.Object({ operations: Type.Array(Operation, { minItems: 1, maxItems: 100 }) }, closed);
export type Fix = Static<typeof Fix>;

/** @throws MillraceError FIX_INVALID listing every mistake with its JSON pointer. */
export function parseFix(document: unknown): Fix {
  if (matches(Fix, document)) return document;
  const mistakes = mistakesOf(Fix, document);
  throw new MillraceError('FIX_INVALID', `the fix has mistakes: ${mistakes.map(({ path, message }) => `${path}: ${message}`).join('; ')}. Operations are rename {from, to}, multiply|add {field, by}, round|remove {field}, set {field, value}, each with an optional when {field, equals|above|below|missing}`, { mistakes });
}

function applies(condition: Static<typeof Condition> | undefined, record: Readonly<Record<string, unknown>>): boolean {
  if (condition === undefined) return true;
  const value = Object.hasOwn(record, condition.field) ? record[condition.field] : undefined;
  if (condition.missing !== undefined && (value === undefined || value === null) !== condition.missing) return false;
  if (condition.equals !== undefined && value !== condition.equals) return false;
  if (condition.above !== undefined && !(typeof value === 'number' && value > condition.above)) return false;
  return condition.below === undefined || (typeof value === 'number' && value < condition.below);
}

function change(record: Record<string, unknown>, field: string, by: (value: number) => number): void {
  const value = record[field];
  if (typeof value === 'number') record[field] = by(value);
}

function applyOperation(operation: Operation, record: Record<string, unknown>): void {
  if ('rename' in operation) {
    const { from, to } = operation.rename;
    if (!Object.hasOwn(record, from)) return;
    record[to] = record[from];
    delete record[from];
  } else if ('multiply' in operation) change(record, operation.multiply.field, (value) => value * operation.multiply.by);
  else if ('add' in operation) change(record, operation.add.field, (value) => value + operation.add.by);
  else if ('round' in operation) change(record, operation.round.field, Math.round);
  else if ('set' in operation) record[operation.set.field] = operation.set.value;
  else delete record[operation.remove.field];
}

/** A mended copy; the record itself is left as it came. Numbers are changed only where they are numbers. */
export function applyFix(fix: Fix, value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const record = { ...value };
  for (const operation of fix.operations) if (applies(operation.when, record)) applyOperation(operation, record);
  return record;
}
