import { MillraceError, type Mistake } from '@millrace/contracts';

const mistakesMax = 50;
const textMax = 60;

/** Why data cannot become a tensor; whoever knows its place turns it into a mistake. */
export class ElementMistake extends Error {}

/** A value from outside in a message: cut, since it may be long. */
export function show(value: unknown): string {
  const text = typeof value === 'bigint' ? String(value) : typeof value === 'object' && value !== null ? (Array.isArray(value) ? 'a list' : 'an object') : JSON.stringify(value);
  return (text ?? String(value)).slice(0, textMax);
}

/** A name as part of a JSON pointer (RFC 6901). */
export const pointerPart = (name: string): string => name.slice(0, textMax).replaceAll('~', '~0').replaceAll('/', '~1');

/** Collects mistakes with their place, so that a caller learns of all at once. */
export class Mistakes {
  private readonly found: Mistake[] = [];

  add(path: string, message: string): void {
    if (this.found.length < mistakesMax) this.found.push({ path, message });
  }

  /** @throws MillraceError TENSOR_INVALID when there is any. */
  check(what: string): void {
    if (this.found.length === 0) return;
    const list = this.found.map(({ path, message }) => `${path === '' ? '' : `${path}: `}${message}`).join('; ');
    throw new MillraceError('TENSOR_INVALID', `the ${what} cannot be used: ${list}`, { mistakes: this.found });
  }
}
