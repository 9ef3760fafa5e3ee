import { MillraceError, type Fallback, type PredictionOutput } from '@millrace/contracts';
import type { Features } from '@millrace/core/inference';
import type { RunOptions, Tensors } from '@millrace/model-runtime';
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

/** The same for tensors. */
export interface FallbackTensors {
  readonly by: string;
  readonly version: ServingVersion;
  readonly outputs: Tensors;
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
  answer(live: LiveRoute, failed: ServingVersion, rows: readonly Features[], options: RunOptions, error: unknown): Promise<FallbackAnswer | null> {
    return this.counted(live, failed, rows.length, error, (fallback) => this.ask(live, failed, fallback, rows, options));
  }

  /**
   * For a request of tensors: only who takes the same tensors and gives the same, with the same meaning, stands in. A
   * constant has no tensors. Null: as `answer`.
   */
  answerTensors(live: LiveRoute, failed: ServingVersion, feeds: Tensors, options: RunOptions, error: unknown): Promise<FallbackTensors | null> {
    const rows = Object.values(feeds)[0]?.shape[0] ?? 1;
    return this.counted(live, failed, rows, error, async (fallback) => {
      const other = fallback.to === 'constant' ? null : this.other(live, failed, fallback);
      return other === null || !agree(failed, other) ? null : { by: nameOf(fallback, other), version: other, outputs: await other.infer(feeds, options) };
    });
  }

  /** What the caller of a tensor request is told when the version has failed and nobody has answered. */
  failureOf(live: LiveRoute, error: unknown): unknown {
    const { model } = live.route;
    if (!(error instanceof MillraceError) || !isFailure(error) || this.models.fallbackOf(model)?.to !== 'constant') return error;
    return new MillraceError(error.code, `${error.message} (The model’s fallback is a constant, which has no tensors: ask /v1/models/${model}/predict for it.)`, error.details);
  }

  private async counted<A extends { readonly by: string }>(live: LiveRoute, failed: ServingVersion, rows: number, error: unknown, ask: (fallback: Fallback) => Promise<A | null>): Promise<A | null> {
    const { model } = live.route;
    const fallback = this.models.fallbackOf(model);
    if (fallback === undefined || !isFailure(error)) return null;
    const answer = await ask(fallback).catch(() => null);
    gatewayMetrics.fallbacks.inc({ model, version: failed.version, to: answer === null ? 'none' : fallback.to }, rows);
    if (!this.told.has(live)) {
      this.told.add(live);
      this.log.error({ err: error, model, version: failed.version, fallback: answer?.by ?? null }, answer === null ? 'a version fails, and its fallback cannot answer either' : 'a version fails; its fallback answers');
    }
    return answer;
  }

  private async ask(live: LiveRoute, failed: ServingVersion, fallback: Fallback, rows: readonly Features[], options: RunOptions): Promise<FallbackAnswer | null> {
    if (fallback.to === 'constant') return { by: 'constant', outputs: rows.map(() => fallback.output) };
    const other = this.other(live, failed, fallback);
    if (other === null || rows.some((row) => other.judge(row, () => true).length > 0)) return null;
    return { by: nameOf(fallback, other), outputs: await other.predict(rows, options) };
  }

  private other(live: LiveRoute, failed: ServingVersion, fallback: Fallback): ServingVersion | null {
    const other = fallback.to === 'model' ? this.models.liveRoute(fallback.model).champion : live.previous;
    return other === failed ? null : other;
  }
}

const nameOf = (fallback: Fallback, { version }: ServingVersion): string => (fallback.to === 'model' ? `${fallback.model}@${version}` : version);

/** Tensors by name, in any order. */
const tensorsOf = (specs: ServingVersion['inputs']): string => specs.map(({ name, datatype, shape }) => JSON.stringify([name, datatype, shape])).sort().join();

function agree(one: ServingVersion, other: ServingVersion): boolean {
  const meaningOf = ({ meaning: { signature } }: ServingVersion): string => JSON.stringify([signature?.task, signature?.classes, signature?.positiveIndex]);
  return tensorsOf(one.inputs) === tensorsOf(other.inputs) && tensorsOf(one.outputs) === tensorsOf(other.outputs) && meaningOf(one) === meaningOf(other);
}
