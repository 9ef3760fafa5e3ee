/**
 * Goal: the compose file, the Dockerfile and the services agree, although no Docker engine is here to say so.
 * Method: read all three and compare: targets, ports, required settings, pinned images, mounted files, loopback only.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { services, type ServiceName } from '@millrace/contracts';
import { checkoutRoot } from './checkout.js';
import { composeMistakes, type Compose } from './compose-mistakes.fixture.js';
import { containerPort } from './prometheus-configuration.js';

const folder = join(checkoutRoot, 'deploy/compose');
const read = (path: string): string => readFileSync(join(checkoutRoot, path), 'utf8');
const compose = parse(read('deploy/compose/compose.yaml'), { merge: true }) as Compose;
const dockerfile = read('deploy/Dockerfile');
/** “## service” sections of the settings page, whose currency another spec guards: variable, required. */
const settings = new Map(
  read('docs/settings.md').split('\n## ').slice(1).map((section) => {
    const [name = '', ...rows] = section.split('\n');
    return [name, rows.flatMap((row) => [...row.matchAll(/^\| `([A-Z_]+)` \|.*\| (\S+)[^|]*\|$/g)].map(([, variable = '', fallback]) => ({ variable, required: fallback === '**required**' })))] as const;
  }),
);
const inputs = {
  dockerfile,
  settingsOf: (service: ServiceName) => [...(settings.get('Every service') ?? []), ...(settings.get(service) ?? [])],
  exists: (path: string) => existsSync(join(folder, path)),
};

describe('compose file', () => {
  it('agrees with the Dockerfile and with the settings of every service', () => {
    expect(composeMistakes(compose, inputs)).toEqual([]);
  });

  it('is scraped where its services listen', () => {
    const { scrape_configs: jobs } = parse(read('deploy/prometheus/prometheus.yml')) as { scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[] };
    expect(jobs.map((job) => [job.job_name, job.static_configs[0]?.targets])).toEqual(services.map((name) => [name, [`${name}:${containerPort}`]]));
  });

  it('names each kind of mistake (the lint is seen failing)', () => {
    const broken = parse(read('deploy/compose/compose.yaml'), { merge: true }) as Compose;
    delete broken.services['rollout-controller'];
    const { ingestion, kafka, grafana } = broken.services;
    if (ingestion === undefined || kafka === undefined || grafana === undefined) throw new Error('the compose file lacks a service');
    ingestion.build = { context: '../..', dockerfile: 'deploy/Dockerfile', target: 'ingesting' };
    ingestion.environment = { PORT: '8081', KAFKA_BROKER: 'kafka:19092' };
    ingestion.ports = ['7411:8080'];
    kafka.image = 'apache/kafka:latest';
    grafana.volumes = ['../grafana/gone:/etc/grafana/provisioning:ro'];
    expect(composeMistakes(broken, inputs)).toEqual([
      'rollout-controller: is no service of the compose file',
      'ingestion: builds the target ingesting',
      'ingestion: the Dockerfile has no target ingesting',
      'ingestion: PORT is not the container’s 8080',
      'ingestion: KAFKA_BROKERS is required and not set',
      'ingestion: KAFKA_BROKER is no setting of it',
      'kafka: the image apache/kafka:latest is not pinned',
      'ingestion: 7411:8080 listens beyond 127.0.0.1',
      'grafana: ../grafana/gone does not exist',
    ].sort());
  });
});

describe('Dockerfile', () => {
  it('runs as a user without rights, checks readiness, and pins its images', () => {
    const runtime = dockerfile.slice(dockerfile.indexOf(' AS runtime'));
    expect(runtime).toMatch(/^USER node$/m);
    expect(runtime).toMatch(/^HEALTHCHECK .*\/health\/ready/m);
    for (const [, image] of dockerfile.matchAll(/^FROM (\S+:\S+)/gm)) expect(image).toMatch(/^node:24\.\d+\.\d+-\w+-slim$/);
  });

  it('ends each target as that user, with its own main.js', () => {
    const stages = dockerfile.split(/^FROM /m);
    for (const service of services) {
      const stage = stages.find((text) => text.startsWith(`runtime AS ${service}\n`)) ?? '';
      expect(stage).toContain(`CMD ["node", "--enable-source-maps", "apps/${service}/dist/main.js"]`);
      expect([...stage.matchAll(/^USER (\w+)$/gm)].at(-1)?.[1] ?? 'node').toBe('node');
    }
  });

  it('copies only what exists', () => {
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) => paths.split(' '));
    expect(copied.length).toBeGreaterThan(5);
    expect(copied.filter((path) => !existsSync(join(checkoutRoot, path)))).toEqual([]);
  });
});
