import { Injectable } from '@nestjs/common';
import { MillraceError, specChanged } from '@millrace/contracts';
import { monitoredModel, type MonitoredModel } from '@millrace/core/verdicts';
import { Messaging, type CompactedTable } from '@millrace/messaging';

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
    for (const entry of table.values()) this.models.set(entry.model, monitoredModel(entry));
    // A model whose spec is withdrawn keeps its last one here: its open windows are still to be judged.
    table.onChange((model, entry) => {
      if (entry !== undefined) this.models.set(model, monitoredModel(entry.data));
    });
  }
}
