import { MillraceError } from '@millrace/contracts';

/** What of a model spec says how a label is read. */
export interface LabelReading {
  readonly task: 'binary' | 'multiclass' | 'regression';
  readonly label: { readonly field: string; readonly positive?: boolean | string | number; readonly classes?: readonly string[] };
}

/**
 * The label of a record as a model understands it: binary → is it the positive value (default `true`), multi-class →
 * class name, regression → number. Nothing is guessed: `"1"` is no number, and a missing value is no negative.
 * @throws MillraceError EVENT_INVALID with the field and what stands there.
 */
export function readLabel(reading: LabelReading, value: Readonly<Record<string, unknown>>): boolean | number | string {
  const { field, positive = true, classes } = reading.label;
  const found = Object.hasOwn(value, field) ? value[field] : undefined;
  const refuse = (wanted: string): never => {
    throw new MillraceError('EVENT_INVALID', `the label field ${JSON.stringify(field)} is ${JSON.stringify(found) ?? 'missing'}, not ${wanted}`);
  };
  if (reading.task === 'regression') return typeof found === 'number' && Number.isFinite(found) ? found : refuse('a finite number');
  if (reading.task === 'binary') return typeof found === typeof positive ? found === positive : refuse(`a ${typeof positive}`);
  if (typeof found !== 'string' && typeof found !== 'number' && typeof found !== 'boolean') return refuse('a class');
  const name = String(found);
  return classes === undefined || classes.includes(name) ? name : refuse(`one of ${classes.join(', ')}`);
}
