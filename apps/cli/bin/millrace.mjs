#!/usr/bin/env node
import { existsSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const built = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const own = fileURLToPath(new URL('../../../node_modules/node/bin/node', import.meta.url));
if (!existsSync(built)) {
  const { ensureBuilt } = await import('../../../tools/bootstrap/ensure-built.mjs');
  await ensureBuilt(built);
}
if (Number(process.versions.node.split('.')[0]) >= 22 || !existsSync(own)) await import(built);
else process.exitCode = spawnSync(own, [built, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
