import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Panes shorter than their window, in a binary form, kept after their window was judged so that late rows can amend the verdict;
 * verdicts with revisions and what they spent. Input panes of open windows are in a form that cannot be carried over: what they
 * held is missing from the windows that are open while this runs.
 */
export class MinutePanes1700000500020 implements MigrationInterface {
  readonly name = 'MinutePanes1700000500020';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM pane WHERE source = 'predictions'`);
    await runner.query(`ALTER TABLE pane ADD pane_start_ms bigint, ADD pane_end_ms bigint, ADD judged boolean NOT NULL DEFAULT false, ALTER payload TYPE bytea USING convert_to(payload::text, 'UTF8')`);
    await runner.query('UPDATE pane SET pane_start_ms = window_start_ms, pane_end_ms = window_end_ms');
    await runner.query('ALTER TABLE pane ALTER pane_start_ms SET NOT NULL, ALTER pane_end_ms SET NOT NULL, DROP CONSTRAINT pane_pkey, ADD PRIMARY KEY (model, source, version, role, window_start_ms, window_end_ms, pane_start_ms, pane_end_ms, partition)');
    await runner.query('ALTER TABLE verdict DROP CONSTRAINT verdict_verdict_id_key, ADD revision integer NOT NULL DEFAULT 1, ADD level double precision NOT NULL DEFAULT 0, ADD budget json, ADD causes json, ADD UNIQUE (verdict_id, revision)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DELETE FROM verdict WHERE revision > 1');
    await runner.query('ALTER TABLE verdict DROP revision, DROP level, DROP budget, DROP causes, ADD UNIQUE (verdict_id)');
    await runner.query(`DELETE FROM pane WHERE source = 'predictions'`);
    await runner.query(`ALTER TABLE pane DROP pane_start_ms, DROP pane_end_ms, DROP judged, ALTER payload TYPE json USING convert_from(payload, 'UTF8')::json, ADD PRIMARY KEY (model, source, version, role, window_start_ms, window_end_ms, partition)`);
  }
}
