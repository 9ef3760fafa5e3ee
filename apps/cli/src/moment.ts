import { MillraceError } from '@millrace/contracts';
import { isIsoTimestamp } from '@millrace/core/data-quality';

/** Milliseconds of an ISO 8601 date or time; without a zone it is UTC. @param what how the mistake is told, such as `--from` @throws MillraceError REQUEST_INVALID */
export function momentMs(text: string, what: string): number {
  if (!isIsoTimestamp(text)) throw new MillraceError('REQUEST_INVALID', `${what} ${text} is no ISO 8601 date or time, such as 2013-03-01 or 2013-03-01T06:00:00Z`);
  return Date.parse(text.includes('T') && !/(?:Z|[+-]\d\d:\d\d)$/u.test(text) ? `${text}Z` : text);
}
