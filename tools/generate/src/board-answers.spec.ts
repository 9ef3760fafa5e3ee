/**
 * Goal: a panel whose metric or label was renamed is found, one that may be empty is not mistaken for it, and a working one passes.
 * Method: a real Prometheus reads a page of metrics served here; three panels ask for what is there, what was renamed and what has no value yet.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningServer } from '@millrace/testing';
import { answersOfBoards, type BoardJson, type PanelJson } from './board-answers.js';
import { isInstalled, query, startPrometheus } from './prometheus.js';

const page = `# HELP millrace_things_total Things
# TYPE millrace_things_total counter
millrace_things_total{model="a"} 4
millrace_things_total{model="b",kind="rare"} 1
# HELP millrace_mishaps_total Mishaps
# TYPE millrace_mishaps_total counter
`;

const hasPrometheus = isInstalled('prometheus');
if (!hasPrometheus) process.stderr.write('SKIPPED: Prometheus is not installed (Debian: apt-get install prometheus); no query of a board was run\n');
const withPrometheus = hasPrometheus ? it : it.skip;

const gridPos = { x: 0, y: 0, w: 8, h: 8 };
const panel = (title: string, expr: string, noValue?: string): PanelJson => ({
  id: 1, type: 'timeseries', title, gridPos, targets: [{ refId: 'A', expr }], fieldConfig: { defaults: noValue === undefined ? {} : { noValue } },
});
const board: BoardJson = {
  uid: 'test', title: 'test',
  templating: { list: [{ name: 'model', query: 'label_values(millrace_things_total, model)' }] },
  panels: [
    { id: 9, type: 'row', title: 'row', gridPos },
    panel('there', 'rate(millrace_things_total{model="$model"}[$__rate_interval])'),
    panel('there for the second model', 'millrace_things_total{model="$model",kind="rare"}'),
    panel('renamed metric', 'millrace_thing_total'),
    panel('renamed metric behind a zero', 'millrace_thing_total or vector(0)'),
    panel('renamed label', 'millrace_things_total{modle="$model"}'),
    panel('wrong query', 'sum(millrace_things_total'),
    panel('no mishap yet', 'millrace_mishaps_total', 'no mishap'),
    panel('no mishap yet, unsaid', 'millrace_mishaps_total'),
  ],
};

describe('answers of boards', () => {
  let server: Server;
  let prometheus: RunningServer;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-prometheus-'));

  beforeAll(async () => {
    if (!hasPrometheus) return;
    server = createServer((_, response) => response.setHeader('content-type', 'text/plain; version=0.0.4').end(page)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    prometheus = await startPrometheus({ folder, targets: { things: `127.0.0.1:${port}` } });
    while ((await query(prometheus.url, 'count_over_time(millrace_things_total{model="a"}[1m]) >= 2')).length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
  });
  afterAll(async () => {
    if (hasPrometheus) {
      await prometheus.stop();
      server.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  withPrometheus('tell present, renamed and empty apart', async () => {
    const answers = await answersOfBoards(prometheus.url, [board]);
    expect(Object.fromEntries(answers.map(({ panel: title, state }) => [title, state]))).toEqual({
      there: 'answered',
      'there for the second model': 'answered',
      'renamed metric': 'missing',
      'renamed metric behind a zero': 'missing',
      'renamed label': 'missing',
      'wrong query': 'missing',
      'no mishap yet': 'empty',
      'no mishap yet, unsaid': 'missing',
    });
    expect(answers.find(({ panel: title }) => title === 'renamed metric behind a zero')?.reason).toContain('millrace_thing_total');
  });
});
