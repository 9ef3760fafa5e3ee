// Goal: processor time and memory of a server include all its children, also those that have ended.
// Method: lines laid out as proc(5) says, with the traps of that format; and this very process, which has used some time.
import { describe, expect, it } from '@jest/globals';
import { cpuMsOf, descendants, parseResident, parseStat, useOf, type ProcessStat } from './process-tree.js';

const line = (pid: number, name: string, parent: number): string => `${pid} (${name}) S ${parent} 1 1 0 -1 4194560 100 200 0 0 12 34 5 6 20 0 11 0 12345 1000000 2560 18446744073709551615 1 1`;

describe('parseStat', () => {
  it('reads parent, time of its own and of buried children in hundredths of a second, and resident pages of 4 KiB', () => {
    expect(parseStat(line(42, 'node', 7))).toEqual({ pid: 42, parent: 7, cpuMs: (12 + 34 + 5 + 6) * 10, residentBytes: 2_560 * 4_096 });
  });

  it('is not misled by a name with parentheses and spaces', () => {
    expect(parseStat(line(42, 'a) R 1 (b', 7))).toMatchObject({ pid: 42, parent: 7 });
  });
});

describe('parseResident', () => {
  it('reads a process’s own pages and those of files', () => {
    expect(parseResident('Name:\tnode\nVmRSS:\t  300 kB\nRssAnon:\t  200 kB\nRssFile:\t  100 kB\nRssShmem:\t    0 kB\n')).toEqual({ ownKb: 200, fileKb: 100 });
  });

  it('tells when the system does not say', () => expect(parseResident('Name:\tnode\nVmRSS:\t  300 kB\n')).toBeNull());
});

describe('descendants', () => {
  const process = (pid: number, parent: number): ProcessStat => ({ pid, parent, cpuMs: 1, residentBytes: 1 });

  it('finds children of children, and nobody else', () => {
    const everyone = [process(1, 0), process(5, 1), process(6, 5), process(7, 6), process(8, 1), process(9, 8)];
    expect(descendants(5, everyone).map(({ pid }) => pid)).toEqual([5, 6, 7]);
  });

  it('is empty for a process that has ended', () => expect(descendants(99, [process(1, 0)])).toEqual([]));
});

const onLinux = process.platform === 'linux' ? it : it.skip;

onLinux('sees what this process has used', () => {
  const own = process.cpuUsage();
  const seen = cpuMsOf(process.pid) ?? NaN;
  // The system counts in ticks of 10 ms and includes children.
  expect(seen).toBeGreaterThan((own.user + own.system) / 1_000 - 30);
  const use = useOf(process.pid);
  expect(use?.residentMb).toBeGreaterThan(10);
  expect(use?.sharedOnceMb).toBeGreaterThan(10);
  expect(use?.sharedOnceMb).toBeLessThan((use?.residentMb ?? 0) * 1.1);
});
