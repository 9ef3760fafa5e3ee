import { textTable } from '../report/table.js';
import { foldProfile, type CpuProfile, type FoldedLine } from './fold-profile.js';

const header = ['self %', 'self ms', 'total %', 'where'];

/** Where a profile’s time went: by place, then the dearest functions by themselves and with all they call. */
export function profileTable(profile: CpuProfile, top: number): string {
  const { totalMs, idleMs, functions, places } = foldProfile(profile);
  const row = ({ name, selfMs, totalMs: withCalled }: FoldedLine) => [(100 * selfMs) / totalMs, selfMs, (100 * withCalled) / totalMs, name];
  const byTotal = [...functions].sort((a, b) => b.totalMs - a.totalMs);
  return [
    `${Math.round(totalMs)} ms of work, ${Math.round(idleMs)} ms idle`,
    `\nby place\n${textTable(header, places.slice(0, top).map(row))}`,
    `\nby function, by itself\n${textTable(header, functions.slice(0, top).map(row))}`,
    `\nby function, with all it called\n${textTable(header, byTotal.slice(0, top).map(row))}`,
    '',
  ].join('\n');
}
