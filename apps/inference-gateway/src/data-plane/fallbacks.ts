import { MillraceError, type Fallback, type PredictionOutput } from '@millrace/contracts';
import type { Features } from '@millrace/core/inference';
import type { RunOptions } from '@millrace/model-runtime';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { Log } from './log.js';
import type { ModelDirectory } from './model-directory.js';
import type { LiveRoute } from './route-book.js';
import type { ServingVersion } from './serving-version.js';

/** Rows that another answered, because the routed version failed; `by` names it: a version, `model@version` or `constant`. */
export interface FallbackAnswer {
  readonly by: string;
  readonly outputs: PredictionOutput[];
}

const failures: ReadonlySet<string> = new Set(['MODEL_WORKER_LOST', 'MODEL_RUN_FAILED', 'MODEL_NOT_READY']);

/** Overload and a passed deadline are no failures of a version: another would not be quicker to ask. */
export const isFailure = (error: unknown): boolean => error instanceof MillraceError && failures.has(error.code);

/** Who answers when the routed version fails, as the model’s spec says. */
export class Fallbacks {
  private readonly told = new WeakSet<LiveRoute>();

  constructor(
    private readonly models: ModelDirectory,
    private readonly log: Log,
  ) {}

  /** Null: nobody stands in, or who should cannot either. */
  async answer(live: LiveRoute, failed: ServingVersion, rows: readonly Features[], options: RunOptions, error: unknown): Promise<FallbackAnswer | null> {
    const { model } = live.route;
    const fallback = this.models.fallbackOf(model);
    if (fallback === undefined || !isFailure(error)) return null;
    const answer = await this.ask(live, failed, fallback, rows, options).catch(() => null);
    gatewayMetrics.fallbacks.inc({ model, version: failed.version, to: answer === null ? 'none' : fallback.to }, rows.length);
    if (!this.told.has(live)) {
      this.told.add(live);
      this.log.error({ err: error, model, version: failed.version, fallback: answer?.by ?? null }, answer === null ? 'a version fails, and its fallback cannot answer either' : 'a version fails; its fallback answers');
    }
    return answer;
  }

  private async ask(live: LiveRoute, failed: ServingVersion, fallback: Fallback, rows: readonly Features[], options: RunOptions): Promise<FallbackAnswer | null> {
    if (fallback.to === 'constant') return { by: 'constant', outputs: rows.map(() => fallback.output) };
    const other = fallback.to === 'model' ? this.models.liveRoute(fallback.model).champion : live.previous;
    if (other === null || other === failed || rows.some((row) => other.judge(row, () => true).length > 0)) return null;
    return { by: fallback.to === 'model' ? `${fallback.model}@${other.version}` : other.version, outputs: await other.predict(rows, options) };
  }
}
