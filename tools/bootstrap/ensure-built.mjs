import { existsSync } from 'node:fs';
import { bootstrap } from './bootstrap.mjs';

/** What a fresh clone lacks to run one program: packages and the build, neither Kafka nor Python. What is there is not built again. */
export async function ensureBuilt(script) {
  if (existsSync(script)) return;
  // Standard output belongs to the program that is to run.
  await bootstrap({ only: ['packages', 'build'], say: (line) => process.stderr.write(`${line}\n`) });
  if (!existsSync(script)) throw new Error(`${script} is missing although the build succeeded; delete the dist folder beside it and try again`);
}
