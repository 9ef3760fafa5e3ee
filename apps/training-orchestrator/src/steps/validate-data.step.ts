import { Injectable } from '@nestjs/common';
import { DatasetBuilder, partFile, parts, type DatasetCounts } from '../dataset-builder.js';
import { identifier, parquet } from '../dataset-sql.js';
import { rowsOf, withDuckDb } from '../parquet.js';
import { StepError, type PipelineStep, type StepContext } from '../pipeline-step.js';
import { WorkFolder } from '../work-folder.js';
import type { SnapshotOutput } from './snapshot.step.js';

export interface ValidateDataOutput {
  readonly counts: DatasetCounts;
  readonly labelledShare: number;
  /** Rows per class, all parts together; regression: none. */
  readonly classes: Readonly<Record<string, number>>;
  readonly nullShares: Readonly<Record<string, number>>;
}

/** What is known of the data before anything is learnt from it; refuses what cannot be learnt from. */
@Injectable()
export class ValidateDataStep implements PipelineStep {
  constructor(
    private readonly builder: DatasetBuilder,
    private readonly work: WorkFolder,
  ) {}

  async execute({ plan, outputs }: StepContext): Promise<ValidateDataOutput> {
    const folder = this.work.dataset(plan);
    await this.builder.ensure(plan.manifest, plan.spec.task, folder);
    const { counts } = outputs.snapshot as SnapshotOutput;
    const { task, features } = plan.spec;
    const all = parquet(...parts.map((part) => partFile(folder, part)));
    const { nulls, classes, training } = await withDuckDb(async (connection) => ({
      nulls: (await rowsOf(connection, `SELECT ${features.map(({ name }) => `avg(CAST(${identifier(name)} IS NULL AS INTEGER)) AS ${identifier(name)}`).join(', ')} FROM ${all}`))[0] ?? {},
      classes: task === 'regression' ? [] : await rowsOf(connection, `SELECT CAST(label AS VARCHAR) AS class, count(*) AS n FROM ${all} GROUP BY 1 ORDER BY 1`),
      training: await rowsOf(connection, `SELECT count(DISTINCT label) AS n FROM ${parquet(partFile(folder, 'train'))}`),
    }));
    const distinct = Number(training[0]?.['n'] ?? 0);
    if (distinct < 2) throw new StepError('DATASET_EMPTY', `the ${counts.train} training rows hold ${distinct === 0 ? 'no label' : `only one ${task === 'regression' ? 'label value' : 'class'}`}: there is nothing to tell apart`, 'never');
    if (counts.test === 0) throw new StepError('DATASET_EMPTY', `the ${counts.labelled} labelled rows leave none for the test part`, 'never');
    return {
      counts,
      labelledShare: counts.labelled / counts.records,
      classes: Object.fromEntries(classes.map((row) => [String(row['class']), Number(row['n'])])),
      nullShares: Object.fromEntries(Object.entries(nulls).map(([name, share]) => [name, Number(share)])),
    };
  }
}
