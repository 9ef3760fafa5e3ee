import { FormatRegistry, type Static, type TSchema } from '@sinclair/typebox';
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';
import { Value } from '@sinclair/typebox/value';
import { MillraceError, type ErrorCode, type Mistake } from './errors.js';

const isoInstant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const isoDuration = /^P(?=.)(\d+W|(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$/;

FormatRegistry.Set('date-time', (text) => isoInstant.test(text) && !Number.isNaN(Date.parse(text)));
FormatRegistry.Set('duration', (text) => isoDuration.test(text));
FormatRegistry.Set('sha256', (text) => /^[0-9a-f]{64}$/.test(text));

const compiled = new WeakMap<TSchema, TypeCheck<TSchema>>();

function compile(schema: TSchema): TypeCheck<TSchema> {
  let check = compiled.get(schema);
  if (check === undefined) {
    check = TypeCompiler.Compile(schema);
    compiled.set(schema, check);
  }
  return check;
}

/** True when the value matches the schema; narrows its type. Compiled once per schema. */
export function matches<T extends TSchema>(schema: T, value: unknown): value is Static<T> {
  return compile(schema).Check(value);
}

/** All mistakes of a value against a schema, at most one per place, in document order. */
export function mistakesOf(schema: TSchema, value: unknown, limit = 50): Mistake[] {
  const places = new Map<string, Mistake>();
  for (const error of compile(schema).Errors(value)) {
    const path = error.path === '' ? '/' : error.path;
    if (!places.has(path)) places.set(path, { path, message: error.message });
    if (places.size >= limit) break;
  }
  return [...places.values()];
}

/** The refusal of a value that has mistakes: `what` names it in the sentence, and every mistake stands in it and beside it. */
export function refusal(code: ErrorCode, what: string, mistakes: readonly Mistake[]): MillraceError {
  const list = mistakes.map(({ path, message }) => `${path}: ${message}`).join('; ');
  return new MillraceError(code, `${what} has ${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'}: ${list}`, { mistakes });
}

/**
 * Fills in defaults on a copy and checks it.
 * @throws MillraceError with `code` and every mistake, when the value does not match.
 */
export function parse<T extends TSchema>(schema: T, value: unknown, code: ErrorCode, what: string): Static<T> {
  const filled: unknown = Value.Default(schema, Value.Clone(value));
  if (matches(schema, filled)) return filled;
  throw refusal(code, what, mistakesOf(schema, filled));
}

/** A copy without the members that a closed schema does not know. */
export function withoutUnknown(schema: TSchema, value: unknown): unknown {
  return Value.Clean(schema, Value.Clone(value));
}
