import { ratio } from '../measure/median.js';
import type { BenchRecord } from './record.js';
import { textTable } from './table.js';

const figuresOf = ({ sections }: Pick<BenchRecord, 'sections'>): Map<string, number | null> => new Map(sections.flatMap(({ id, figures }) => Object.entries(figures).map(([name, value]) => [`${id}: ${name}`, value] as const)));

export type Difference = readonly [figure: string, before: number | null, after: number | null, ratio: number | null];

/** Every figure that either run has, in the order of the first. */
export function differences(before: Pick<BenchRecord, 'sections'>, after: Pick<BenchRecord, 'sections'>): Difference[] {
  const [old, now] = [figuresOf(before), figuresOf(after)];
  const names = [...new Set([...old.keys(), ...now.keys()])];
  return names.map((name) => [name, old.get(name) ?? null, now.get(name) ?? null, ratio(now.get(name), old.get(name))]);
}

export function comparison(before: BenchRecord, after: BenchRecord): string {
  const head = [before, after].map(({ startedAt, versions, machine, loadBefore }) => `${startedAt}  ${versions['millrace'] ?? '?'}  ${machine.cores} cores of ${machine.processor}  load ${loadBefore.join(' ')}`);
  const other = before.machine.processor === after.machine.processor && before.machine.cores === after.machine.cores ? [] : ['The machines differ: compare only figures that are ratios (× echo).'];
  return [`before: ${head[0] ?? ''}`, `after:  ${head[1] ?? ''}`, ...other, '', textTable(['figure', 'before', 'after', 'after / before'], differences(before, after)), ''].join('\n');
}
