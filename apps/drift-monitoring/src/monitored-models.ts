import { Injectable } from '@nestjs/common';
import { MillraceError, specChanged, type ModelSpec } from '@millrace/contracts';
import { durationMs, type DriftPolicy, type PerformanceRule } from '@millrace/core/drift';
import { Messaging, type CompactedTable } from '@millrace/messaging';

/** What monitoring needs to know of a model. */
export interface MonitoredModel {
  readonly model: string;
  readonly task: ModelSpec['spec']['task'];
  readonly windowMs: number;
  readonly latenessMs: number;
  readonly policy: DriftPolicy;
  readonly rules: readonly PerformanceRule[];
}

/** The models and how each wants to be watched. Follows the specs of the registry. */
@Injectable()
export class MonitoredModels {
  private readonly models = new Map<string, MonitoredModel>();
  private started: Promise<void> | undefined;

  constructor(private readonly messaging: Messaging) {}

  /** Complete once resolved; whoever needs it first starts it. */
  start(): Promise<void> {
    this.started ??= this.follow();
    return this.started;
  }

  get(model: string): MonitoredModel | undefined {
    return this.models.get(model);
  }

  /** @throws MillraceError MODEL_UNKNOWN */
  require(model: string): MonitoredModel {
    const found = this.models.get(model);
    if (found === undefined) throw new MillraceError('MODEL_UNKNOWN', `No model is named ${JSON.stringify(model)}.`);
    return found;
  }

  all(): MonitoredModel[] {
    return [...this.models.values()];
  }

  private async follow(): Promise<void> {
    const table: CompactedTable<typeof specChanged> = await this.messaging.table(specChanged);
    for (const { model, spec } of table.values()) this.models.set(model, monitoredModel(model, spec));
    // A model whose spec is withdrawn keeps its last one here: its open windows are still to be judged.
    table.onChange((model, entry) => {
      if (entry !== undefined) this.models.set(model, monitoredModel(model, entry.data.spec));
    });
  }
}

function monitoredModel(model: string, { spec }: ModelSpec): MonitoredModel {
  const { window, lateness, alpha, rowsMin, drift, performance } = spec.monitoring;
  return { model, task: spec.task, windowMs: durationMs(window), latenessMs: durationMs(lateness), policy: { alpha, rowsMin, ...drift }, rules: performance };
}
