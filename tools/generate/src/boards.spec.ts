/**
 * Goal: boards can be shown by Grafana as committed, explain themselves, and ask only for metrics that exist.
 * Method: read the committed JSON; metric names are compared with what the services’ sources register and with what prom-client registers by default.
 */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { readBoards, type BoardJson, type PanelJson } from './board-answers.js';
import { metricNamesOf } from './metric-names.js';
import { registeredMetrics } from './registered-metrics.fixture.js';

let boards: BoardJson[];
beforeAll(async () => {
  boards = await readBoards();
});

const charts = (board: BoardJson): PanelJson[] => board.panels.filter(({ type }) => type !== 'row');

function overlap({ gridPos: a }: PanelJson, { gridPos: b }: PanelJson): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

describe('boards', () => {
  it('are the three that the docs name, under stable uids', () => {
    expect(boards.map(({ uid }) => uid)).toEqual(['millrace-model', 'millrace-ring', 'millrace-service']);
  });

  it('have unique panel ids, no overlaps, and stay within 24 columns', () => {
    for (const { uid, panels } of boards) {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const overlaps = panels.flatMap((one, index) => panels.slice(index + 1).filter((other) => overlap(one, other)).map((other) => `${uid}: ${one.id} over ${other.id}`));
      expect(overlaps).toEqual([]);
      expect(panels.filter(({ gridPos: { x, w } }) => x < 0 || x + w > 24)).toEqual([]);
    }
  });

  it('read from the data source that is provisioned, with a unit, a title and a description on each panel', () => {
    for (const board of boards) {
      for (const panel of charts(board)) {
        expect([panel.datasource?.uid, ...(panel.targets ?? []).map(({ datasource }) => datasource?.uid)].every((uid) => uid === 'millrace-prometheus')).toBe(true);
        expect(panel.title ?? '').not.toBe('');
        expect((panel.description ?? '').length).toBeGreaterThan(20);
        expect(panel.fieldConfig?.defaults?.unit ?? '').not.toBe('');
        expect(panel.targets?.length ?? 0).toBeGreaterThan(0);
      }
    }
  });

  it('ask only for metrics that a service registers', async () => {
    const registered = await registeredMetrics();
    const unknown = boards.flatMap((board) => charts(board).flatMap(({ title, targets }) => (targets ?? []).flatMap(({ expr }) => metricNamesOf(expr)).filter((name) => !registered.has(name)).map((name) => `${board.uid}, ${title ?? ''}: ${name}`)));
    expect(unknown).toEqual([]);
  });

  it('show what the issue names', () => {
    const asked = new Map(boards.map((board) => [board.uid, new Set(charts(board).flatMap(({ targets }) => (targets ?? []).flatMap(({ expr }) => metricNamesOf(expr))))]));
    expect([...(asked.get('millrace-ring') ?? [])]).toEqual(expect.arrayContaining(['millrace_records_accepted_total', 'millrace_records_judged_total', 'kafka_consumergroup_lag', 'millrace_predictions_total', 'millrace_prediction_duration_seconds', 'millrace_outbox_oldest_age_seconds']));
    expect([...(asked.get('millrace-model') ?? [])]).toEqual(expect.arrayContaining(['millrace_route_share', 'millrace_performance', 'millrace_drift_statistic', 'millrace_drift_threshold', 'millrace_rollout_phase', 'millrace_rollout_evidence', 'millrace_training_runs_total']));
    expect([...(asked.get('millrace-service') ?? [])]).toEqual(expect.arrayContaining(['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes', 'nodejs_heap_size_used_bytes', 'process_cpu_seconds_total', 'millrace_batch_failures_total', 'millrace_outbox_oldest_age_seconds', 'process_start_time_seconds']));
  });
});
