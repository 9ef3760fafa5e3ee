import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readCheckout } from './checkout.js';
import { readProjectGraph } from './project-graph.js';
import { Repository } from './repository.js';
import { judgeAll, rules } from './rules.js';

const usage = `Judges this repository by its own habits.

  npm run tidy                     one line per breach: file:line rule message; status 1 if there is one
  npm run tidy -- --json           the same for machines: [{ "rule", "file", "line", "message" }]
  npm run tidy -- --rule <name>    one rule only
  npm run tidy -- --help           this text

Rules:
${rules.map(({ name, habit }) => `  ${name.padEnd(16)} ${habit}`).join('\n')}
`;

const say = (text: string): boolean => process.stdout.write(`${text}\n`);

function main(): number {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' }, rule: { type: 'string' } } });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const chosen = rules.filter(({ name }) => values.rule === undefined || name === values.rule);
  if (chosen.length === 0) throw new Error(`There is no rule ${values.rule}; --help lists them.`);
  const checkout = fileURLToPath(new URL('../../..', import.meta.url));
  const repository = new Repository(readCheckout(checkout), readProjectGraph(checkout));
  const findings = judgeAll(repository, chosen);
  if (values.json === true) say(JSON.stringify(findings, null, 2));
  else {
    for (const { file, line, rule, message } of findings) say(`${file}:${line} ${rule} ${message}`);
    say(findings.length === 0 ? `tidy: ${chosen.length} rules hold in ${repository.paths.length} files` : `tidy: ${findings.length} breaches in ${repository.paths.length} files`);
  }
  return findings.length === 0 ? 0 : 1;
}

try {
  process.exitCode = main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
