import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { show, table } from '../print.js';
import { call } from '../services.js';

interface Quarantine {
  readonly total: number;
  readonly byRule: readonly { readonly rule: string; readonly field: string; readonly count: number }[];
  readonly items: readonly unknown[];
}

export function addQuarantineCommands(program: Command): void {
  const quarantine = program.command('quarantine').description('records that broke their contract: look at them, mend and replay them');
  quarantine
    .command('list')
    .description('what waits, by rule')
    .argument('<stream>')
    .option('--limit <n>', 'how many records to show with --json', '20')
    .option('--json', 'for machines', false)
    .action(async (stream: string, options: { limit: string; json: boolean }) => {
      const answer = await call<Quarantine>('data-validation', 'GET', `/v1/streams/${encodeURIComponent(stream)}/quarantine?limit=${encodeURIComponent(options.limit)}`);
      show(options.json, answer, () => `${answer.total} waiting\n${table(['field', 'rule', 'records'], answer.byRule.map(({ field, rule, count }) => [field, rule, count]))}`);
    });
  quarantine
    .command('replay')
    .description('judge what waits again, after an optional fix; each record is admitted once')
    .argument('<stream>')
    .option('--fix <file>', 'YAML: operations such as rename, multiply, add, round, set, remove')
    .option('--dry-run', 'only say what would happen', false)
    .option('--json', 'for machines', false)
    .addHelpText('after', '\nExample:\n  $ millrace quarantine replay flights --fix fix.yaml --dry-run')
    .action(async (stream: string, options: { fix?: string; dryRun: boolean; json: boolean }) => {
      const fix: unknown = options.fix === undefined ? undefined : parse(readFileSync(options.fix, 'utf8'));
      const answer = await call<{ matched: number; admitted: number; stillBrokenCount: number }>('data-validation', 'POST', `/v1/streams/${encodeURIComponent(stream)}/quarantine/replay`, { ...(fix === undefined ? {} : { fix }), dryRun: options.dryRun });
      show(options.json, answer, () => `${answer.matched} matched, ${answer.admitted} ${options.dryRun ? 'would be ' : ''}admitted, ${answer.stillBrokenCount} still broken`);
    });
}
