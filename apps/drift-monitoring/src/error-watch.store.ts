import { Injectable } from '@nestjs/common';
import { startTrail, type ErrorWatch, type TrailStretches } from '@millrace/core/performance';
import type { Transaction } from '@millrace/persistence';

/** A watch and the way to it. */
export interface KeptWatch {
  readonly watch: ErrorWatch;
  trail: TrailStretches;
}

/** The error watch of each version. Callers hold the model’s closing row for errors. */
@Injectable()
export class ErrorWatchStore {
  async read(model: string, version: string, transaction: Transaction): Promise<KeptWatch | null> {
    const [row] = await transaction.query<{ payload: ErrorWatch & { trail?: TrailStretches } }>('SELECT payload FROM error_watch WHERE model = $1 AND version = $2', [model, version]);
    if (row === undefined) return null;
    // Earlier releases kept no trail: it begins here.
    const { trail, ...watch } = row.payload;
    return { watch, trail: trail ?? startTrail(watch) };
  }

  async keep(model: string, version: string, { watch, trail }: KeptWatch, transaction: Transaction): Promise<void> {
    await transaction.query('INSERT INTO error_watch (model, version, payload) VALUES ($1, $2, $3::json) ON CONFLICT (model, version) DO UPDATE SET payload = EXCLUDED.payload', [model, version, JSON.stringify({ ...watch, trail })]);
  }
}
