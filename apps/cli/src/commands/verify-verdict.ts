import type { Command } from 'commander';
import { show } from '../print.js';
import { call } from '../services.js';
import { openLog } from '../verification/open-log.js';
import type { RingFacts } from '../verification/ring-facts.js';
import type { Verification } from '../verification/verification.js';
import { verifyRollout } from '../verification/verify-rollout.js';
import { verifyWindow } from '../verification/verify-window.js';

const short = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length <= 120 ? text : `${text.slice(0, 117)}…`;
};

function tell({ id, same, recordedSha256, recomputedSha256, differences, unchecked, rows, offsets }: Verification): string {
  const places = offsets.map(({ topic, partition, fromOffset, toOffset }) => `    ${topic}/${partition} [${fromOffset}, ${toOffset})`);
  const basis = [`  made again from ${rows.toLocaleString('en-US')} events of`, ...places, ...unchecked.map((what) => `  NOT checked: ${what}`)];
  const part = unchecked.length === 0 ? '' : ', as far as it can be made again';
  if (same) return [`${id}: the same bytes${part}, ${recomputedSha256}`, ...basis].join('\n');
  return [
    `${id}: NOT the same: recorded ${recordedSha256}, recomputed ${recomputedSha256}`,
    ...differences.map(({ path, recorded, recomputed }) => `  ${path}: recorded ${short(recorded)}, recomputed ${short(recomputed)}`),
    ...basis,
  ].join('\n');
}

const facts: RingFacts = { get: (service, path) => call(service, 'GET', path) };

export function addVerifyVerdictCommand(program: Command): void {
  program
    .command('verify-verdict')
    .description('make a verdict, or the steps of a roll-out, again from the log and compare the bytes; exit 2 when they differ, 4 when they are the same as far as they could be made again')
    .argument('<id>', 'verdictId (#2: its second revision); a roll-out, such as flight-delays.3.1; or one step of it, flight-delays.3.1#4')
    .option('--json', 'for machines', false)
    .action(async (id: string, { json }: { json: boolean }) => {
      const log = await openLog();
      try {
        // The parts of a verdict’s id are set apart by colons; a roll-out’s by dots.
        const verification = await (id.includes(':') ? verifyWindow : verifyRollout)(facts, log, id);
        show(json, verification, () => tell(verification));
        if (!verification.same || verification.unchecked.length > 0) process.exitCode = verification.same ? 4 : 2;
      } finally {
        await log.close();
      }
    });
}
