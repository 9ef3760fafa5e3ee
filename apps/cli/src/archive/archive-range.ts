import { MillraceError } from '@millrace/contracts';
import { momentMs } from '../moment.js';

/** Archived records of a stream whose event time lies in [fromMs, toMs); null leaves an end open. Milliseconds since 1970. */
export interface ArchiveRange {
  readonly stream: string;
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

const form = /^archive:(?<stream>[^@]+)(?:@(?<from>.*?)\.\.(?<to>.*))?$/u;

const end = (text: string | undefined, what: string): number | null => (text === undefined || text === '' ? null : momentMs(text, what));

/**
 * `archive:<stream>@<from>..<to>`, either end empty or both left out with their sign; null when the text does not begin so.
 * @throws MillraceError REQUEST_INVALID for a range that begins so and cannot be read, or holds no time at all.
 */
export function parseArchiveRange(text: string): ArchiveRange | null {
  if (!text.startsWith('archive:')) return null;
  const { stream, from, to } = form.exec(text)?.groups ?? {};
  if (stream === undefined) throw new MillraceError('REQUEST_INVALID', `${text} is no range of the archive; write archive:<stream>@<from>..<to>, such as archive:flights@2013-03-01..2013-04-01`);
  const range = { stream, fromMs: end(from, 'from'), toMs: end(to, 'to') };
  if (range.fromMs !== null && range.toMs !== null && range.toMs <= range.fromMs) throw new MillraceError('REQUEST_INVALID', `${text} ends before it begins`);
  return range;
}

const shown = (ms: number | null): string => (ms === null ? '' : new Date(ms).toISOString());

/** As parseArchiveRange reads it; the same range is the same text. */
export const writtenRange = ({ stream, fromMs, toMs }: ArchiveRange): string => `archive:${stream}@${shown(fromMs)}..${shown(toMs)}`;
