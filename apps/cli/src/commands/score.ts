import type { Command } from 'commander';
import { show } from '../print.js';
import { openModel } from '../scoring/open-model.js';
import { rowSource } from '../scoring/row-source.js';
import { scoreFile, type ScoreReport } from '../scoring/score-file.js';

/** One line that is rewritten, where somebody looks; nothing into a file or a pipe. */
function progressBar(): (done: number, total: number) => void {
  const started = performance.now();
  let shownMs = 0;
  return (done, total) => {
    const now = performance.now();
    if (process.stderr.isTTY !== true || (now - shownMs < 100 && done < total)) return;
    shownMs = now;
    const share = total === 0 ? 1 : done / total;
    const rate = done / Math.max(0.001, (now - started) / 1_000);
    const bar = '█'.repeat(Math.round(30 * share)).padEnd(30, '·');
    process.stderr.write(`\r${bar} ${(100 * share).toFixed(1)} %  ${done.toLocaleString('en')} of ${total.toLocaleString('en')} rows, ${Math.round(rate).toLocaleString('en')}/s, ${Math.max(0, (total - done) / rate).toFixed(0)} s left `);
    if (done >= total) process.stderr.write('\n');
  };
}

const places = ({ offsets }: ScoreReport): string[] => offsets.map(({ topic, partition, fromOffset, toOffset, rows }) => `  ${topic}/${partition} [${fromOffset}, ${toOffset}): ${rows.toLocaleString('en-US')} rows`);

export function addScoreCommand(program: Command): void {
  program
    .command('score')
    .description('predictions for every row of a file or of a range of the archive; interrupted and run again, it goes on where it was')
    .requiredOption('--model <model>', 'a file or folder, or model[@version|alias] of the ring (default alias: champion)')
    .requiredOption('--in <rows>', '.csv, .jsonl or .parquet, with a column per feature; a quoted pattern names several files; or archive:<stream>@<from>..<to>')
    .requiredOption('--out <file>', '.csv, .jsonl or .parquet')
    .option('--keep <columns>', 'columns to repeat in the output, separated by commas; default: those that are no features')
    .option('--json', 'for machines', false)
    .addHelpText('after', `
Examples:
  $ millrace score --model ./models/iris --in flowers.csv --out scored.csv
  $ millrace score --model flight-delays@challenger --in may.parquet --out may-scored.parquet --keep id
  $ millrace score --model flight-delays --in archive:flights@2013-05-01..2013-06-01 --out may-scored.parquet

A range of the archive holds the records of a stream whose event time lies in [from, to); an end may be left empty, a time without
a zone is UTC. A record that was told twice counts once, by its first offset. Rows come in the order of event time, and the
rows of a restarted run are those of its first start, whatever has been archived since. Besides the record's other fields the
output has record_id, event_time, archive_partition, offset and contract_version. The archive is found through the stack's
endpoints file, or by MILLRACE_DATA_VALIDATION_URL and STORAGE_URL.`)
    .action(async (options: { model: string; in: string; out: string; keep?: string; json: boolean }) => {
      const open = await openModel(options.model);
      const keep = options.keep === undefined ? {} : { keep: options.keep.split(',').filter((name) => name !== '') };
      const report = await scoreFile(open, { input: rowSource(options.in), output: options.out, ...keep, onProgress: progressBar() });
      const resumed = report.resumedAt === 0 ? '' : `, the first ${report.resumedAt} of them by an earlier run`;
      show(options.json, { ...report, model: open.name, output: options.out }, () => [`${report.rows} rows scored by ${open.name} into ${options.out} in ${report.seconds.toFixed(1)} s${resumed}`, ...places(report)].join('\n'));
    });
}
