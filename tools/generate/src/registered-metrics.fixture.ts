import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { checkoutRoot } from './checkout.js';

/** Names in the sources that hand them to prom-client, and those that prom-client registers by itself. */
export async function registeredMetrics(): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const folder of ['apps', 'libs/platform']) {
    const entries = await readdir(join(checkoutRoot, folder), { recursive: true });
    for (const entry of entries.filter((path) => /(^|[/\\])src[/\\].*metrics\.ts$/.test(path) && !path.includes('node_modules'))) {
      const source = await readFile(join(checkoutRoot, folder, entry), 'utf8');
      if (source.includes("'prom-client'")) for (const [, name] of source.matchAll(/'((?:millrace|kafka)_[a-z0-9_]+)'/g)) if (name !== undefined) names.add(name);
    }
  }
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const { name } of registry.getMetricsAsArray()) names.add(name);
  registry.clear();
  return names;
}
