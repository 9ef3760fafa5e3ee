import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { boards } from './boards/boards.js';
import { errorReference } from './error-reference.js';
import { aclExamples, createTopicsScript, eventSchemas, topicList, topicReference } from './topic-reference.js';
import { environmentExample, readServiceSettings, settingsReference } from './settings-reference.js';
import { boardProvisioning, datasourceProvisioning, scrapeConfiguration } from './prometheus-configuration.js';

/** Path from the checkout’s root to content. */
export type GeneratedFiles = ReadonlyMap<string, string>;

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

/** Folders in which nothing but generated files may lie: what is left over there is named as well. */
const ownFolders = ['docs/schemas', 'deploy/grafana/dashboards'];

export async function generateFiles(root: string): Promise<GeneratedFiles> {
  const settings = await readServiceSettings(root);
  return new Map([
    ['docs/topics.md', topicReference()],
    ['docs/errors.md', errorReference()],
    ['docs/settings.md', settingsReference(settings)],
    ['.env.example', environmentExample(settings)],
    ...eventSchemas().map(({ topic, schema }) => [`docs/schemas/${topic}.json`, json(schema)] as const),
    ['deploy/kafka/topics.json', json(topicList())],
    ['deploy/kafka/create-topics.sh', createTopicsScript()],
    ['deploy/kafka/acls.md', aclExamples()],
    ['deploy/prometheus/prometheus.yml', scrapeConfiguration()],
    ['deploy/grafana/provisioning/datasources/millrace.yml', datasourceProvisioning()],
    ['deploy/grafana/provisioning/dashboards/millrace.yml', boardProvisioning()],
    ...boards().map((board) => [`deploy/grafana/dashboards/${board.uid ?? ''}.json`, json(board)] as const),
  ]);
}

/** Files that are missing or differ, and strangers in folders that hold only generated files. */
export async function outdatedFiles(root: string, files: GeneratedFiles): Promise<{ path: string; why: string }[]> {
  const outdated: { path: string; why: string }[] = [];
  for (const [path, content] of files) {
    const found = await readFile(join(root, path), 'utf8').catch(() => undefined);
    if (found !== content) outdated.push({ path, why: found === undefined ? 'is missing' : 'differs' });
  }
  for (const folder of ownFolders) {
    for (const name of await readdir(join(root, folder)).catch(() => [])) {
      const path = `${folder}/${name}`;
      if (!files.has(path)) outdated.push({ path, why: 'is no longer generated' });
    }
  }
  return outdated;
}
