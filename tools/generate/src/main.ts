import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { checkoutRoot } from './checkout.js';
import { generateFiles, outdatedFiles } from './generated-files.js';

const help = `Usage: npm run generate [-- --check | --help]

Writes everything that follows from a table in the code: docs/topics.md, docs/errors.md, docs/settings.md, docs/schemas,
.env.example, deploy/kafka, deploy/prometheus/prometheus.yml and deploy/grafana. Build first (npm run build): settings are read from the built services.

  --check   write nothing; exit 1 and name each file that differs
  --help    this text`;

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => !['--check', '--help'].includes(arg));
  if (args.includes('--help') || unknown.length > 0) {
    process.stdout.write(`${unknown.length > 0 ? `Unknown: ${unknown.join(' ')}\n\n` : ''}${help}\n`);
    return unknown.length > 0 ? 64 : 0;
  }
  const files = await generateFiles(checkoutRoot);
  const outdated = await outdatedFiles(checkoutRoot, files);
  if (args.includes('--check')) {
    for (const { path, why } of outdated) process.stdout.write(`${path} ${why}\n`);
    process.stdout.write(outdated.length === 0 ? `${files.size} generated files are current\n` : `${outdated.length} of ${files.size} generated files differ; run: npm run generate\n`);
    return outdated.length === 0 ? 0 : 1;
  }
  for (const { path, why } of outdated) {
    const content = files.get(path);
    if (content === undefined) {
      process.stdout.write(`${path} ${why}; delete it\n`);
      continue;
    }
    const place = join(checkoutRoot, path);
    await mkdir(dirname(place), { recursive: true });
    // A file that is being replaced keeps its mode; scripts are started with `sh`, so none needs to be executable.
    if ((await readFile(place, 'utf8').catch(() => undefined)) !== content) await writeFile(place, content);
    process.stdout.write(`${path}\n`);
  }
  process.stdout.write(`${files.size} generated files, ${outdated.length} written\n`);
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`generate: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  },
);
