import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { launch, type RunningServer } from '@millrace/testing';

/** Debian’s package `prometheus` brings both. */
export function isInstalled(program: 'prometheus' | 'promtool'): boolean {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

export interface PrometheusOptions {
  /** For its configuration and its data; made when it does not exist. */
  readonly folder: string;
  /** Job name to host:port; `job` in boards is the service’s name. */
  readonly targets: Readonly<Record<string, string>>;
}

function scrapeEverySecond(targets: PrometheusOptions['targets']): string {
  const jobs = Object.entries(targets).map(([job, target]) => ({ job_name: job, static_configs: [{ targets: [target] }] }));
  // JSON is YAML.
  return JSON.stringify({ global: { scrape_interval: '1s', scrape_timeout: '1s' }, scrape_configs: jobs }, undefined, 2);
}

/** A Prometheus of its own that reads every target each second. @throws Error with its last words when it does not get ready. */
export async function startPrometheus({ folder, targets }: PrometheusOptions): Promise<RunningServer> {
  await mkdir(folder, { recursive: true });
  const configuration = join(folder, 'prometheus.yml');
  await writeFile(configuration, scrapeEverySecond(targets));
  const parameters = (port: number): string[] => [`--config.file=${configuration}`, `--storage.tsdb.path=${join(folder, 'tsdb')}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'];
  return launch({ name: 'prometheus', program: 'prometheus', parameters, readyPath: '/-/ready', log: join(folder, 'prometheus.log') });
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

async function ask(prometheusUrl: string, path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
  const response = await fetch(`${prometheusUrl}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`);
  const body = (await response.json()) as { status: string; data?: unknown; error?: string };
  if (body.status !== 'success') throw new Error(body.error ?? `HTTP ${response.status}`);
  return body.data;
}

/** The value of an expression now. @throws Error with Prometheus’s words when the expression is wrong. */
export async function query(prometheusUrl: string, expr: string): Promise<readonly Sample[]> {
  return ((await ask(prometheusUrl, 'query', { query: expr })) as { result: readonly Sample[] }).result;
}

/** Metrics that some target declares now, also those that have no value yet. */
export async function declaredMetrics(prometheusUrl: string): Promise<ReadonlySet<string>> {
  return new Set(Object.keys((await ask(prometheusUrl, 'metadata', {})) as object));
}
