import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { DatasetManifest } from '@millrace/core/dataset';
import { query } from '@millrace/persistence';
import type { DatasetCounts } from './dataset-builder.js';

export interface KnownDataset {
  readonly datasetVersion: string;
  readonly model: string;
  readonly manifest: DatasetManifest;
  readonly counts: DatasetCounts;
  readonly createdAt: string;
}

@Injectable()
export class DatasetStore {
  constructor(private readonly database: DataSource) {}

  async add(datasetVersion: string, model: string, manifest: DatasetManifest, counts: DatasetCounts, now: Date): Promise<void> {
    await query(this.database, 'INSERT INTO dataset VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING', [datasetVersion, model, JSON.stringify(manifest), JSON.stringify(counts), now]);
  }

  async find(datasetVersion: string): Promise<KnownDataset | undefined> {
    const [row] = await query<{ dataset_version: string; model: string; manifest: DatasetManifest; counts: DatasetCounts; created_at: Date }>(this.database, 'SELECT * FROM dataset WHERE dataset_version = $1', [datasetVersion]);
    return row === undefined ? undefined : { datasetVersion: row.dataset_version, model: row.model, manifest: row.manifest, counts: row.counts, createdAt: row.created_at.toISOString() };
  }
}
