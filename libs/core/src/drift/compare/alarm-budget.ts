import { durationMs } from '../windows.js';

/** What a user grants: so many false incidents per model in so long a time. */
export interface AlarmBudget {
  readonly falseIncidents: number;
  readonly perMs: number;
}

const dayMs = 86_400_000;
const units: Readonly<Record<string, number>> = { hour: 3_600_000, day: dayMs, week: 7 * dayMs, month: 30 * dayMs, quarter: 90 * dayMs, year: 365 * dayMs };
const words: Readonly<Record<string, number>> = { a: 1, an: 1, one: 1, two: 2, three: 3, four: 4, five: 5, six: 6, seven: 7, eight: 8, nine: 9, ten: 10 };
const sentence = /^(?:at most )?(?<number>\d+(?:\.\d+)?|[a-z]+) false (?:incident|alarm)s?(?: per model)? (?:per|in|every|a|an) (?:(?<length>\d+(?:\.\d+)?) )?(?:(?<unit>hour|day|week|month|quarter|year)s?|(?<iso>p[\dtwdhms.]+))$/u;

/**
 * Reads “at most one false incident per model per 30 days”, or “per P30D”. A month is 30 days, a year 365.
 * @throws RangeError for anything else.
 */
export function budgetOf(text: string): AlarmBudget {
  const groups = sentence.exec(text.trim().toLowerCase())?.groups;
  const iso = groups?.['iso'];
  const [number, unit] = [groups?.['number'] ?? '', iso === undefined ? units[groups?.['unit'] ?? ''] : durationMs(iso.toUpperCase())];
  const falseIncidents = words[number] ?? Number(number);
  if (groups === undefined || unit === undefined || !(unit > 0) || !(falseIncidents > 0)) throw new RangeError(`“${text}” is no budget; say it like “at most one false incident per model per 30 days”`);
  return { falseIncidents, perMs: Number(groups['length'] ?? 1) * unit };
}

/** Higher chances than this are no control. */
const alphaMax = 0.05;

/**
 * The false-alarm rate for one feature in one window, so that a model has on average at most `falseIncidents` windows with
 * a false alarm in `perMs`: the budget over the number of feature-windows. Holds however features and windows depend on
 * each other, because expectations add. Shares of the budget that were not spent are not carried over.
 * @param window ISO 8601 duration, such as PT1H.
 */
export function alphaFor({ falseIncidents, perMs }: AlarmBudget, { window, features }: { readonly window: string; readonly features: number }): number {
  const windows = perMs / durationMs(window);
  return Math.min(alphaMax, falseIncidents / Math.max(1, windows * Math.max(1, features)));
}
