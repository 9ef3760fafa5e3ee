const datePattern = /^(\d{4})-(\d\d)-(\d\d)$/;
const timestampPattern = /^(\d{4})-(\d\d)-(\d\d)(?:T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?)?$/;
const timePattern = /^(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?$/;
const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** JavaScript’s Date rolls 30 February over into March, and takes “7” for a date; a calendar does not. */
function isOnCalendar(match: RegExpExecArray | null): boolean {
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  if (day < 1 || day > (daysOfMonth[month - 1] ?? 0)) return false;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}

/** An ISO 8601 calendar date, YYYY-MM-DD. */
export function isIsoDate(value: unknown): value is string {
  return typeof value === 'string' && isOnCalendar(datePattern.exec(value));
}

/** An ISO 8601 date, or date and time with or without a zone. */
export function isIsoTimestamp(value: unknown): value is string {
  return typeof value === 'string' && isOnCalendar(timestampPattern.exec(value));
}

/** An ISO 8601 time of day, hours and minutes at least. */
export function isIsoTime(value: unknown): value is string {
  return typeof value === 'string' && timePattern.test(value);
}

/** Milliseconds since the epoch; a timestamp without a zone is read as UTC, so that every machine reads the same. */
export function isoTimestampMs(value: string): number {
  return Date.parse(value.includes('T') && !/(?:Z|[+-]\d\d:\d\d)$/.test(value) ? `${value}Z` : value);
}
