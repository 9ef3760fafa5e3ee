import type { Command } from 'commander';
import { addDriftCompare } from './drift-compare.js';
import { addDriftWatch } from './drift-watch.js';

/** Drift on plain files, without the ring. */
export function addDriftCommands(program: Command): void {
  const drift = program.command('drift').description('has data or a model’s error changed? On plain files, without the ring');
  addDriftCompare(drift);
  addDriftWatch(drift);
}
