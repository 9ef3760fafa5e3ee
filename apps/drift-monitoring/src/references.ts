import { Injectable } from '@nestjs/common';
import { MillraceError } from '@millrace/contracts';
import { readReference, type Reference } from '@millrace/core/verdicts';
import { Messaging } from '@millrace/messaging';
import { DriftMonitoringSettings } from './drift-monitoring.config.js';
import { MonitoredModels } from './monitored-models.js';
import { ReferenceStore } from './reference.store.js';

/** The references of the versions that answer, in memory: folds must not wait while they observe. */
@Injectable()
export class References {
  private readonly known = new Map<string, Reference | null>();
  private readonly firstMissed = new Map<string, number>();

  constructor(
    private readonly store: ReferenceStore,
    private readonly models: MonitoredModels,
    private readonly messaging: Messaging,
    private readonly settings: DriftMonitoringSettings,
  ) {}

  /** null: the version has none, or nobody has registered it. */
  get(model: string, version: string): Reference | null {
    return this.known.get(keyOf(model, version)) ?? null;
  }

  /** From the table, when memory does not know it. A version that is not registered is asked for again the next time. */
  async load(model: string, version: string): Promise<Reference | null> {
    const key = keyOf(model, version);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const row = await this.store.find(model, version);
    if (row === undefined) return null;
    const reference = readReference(row.reference);
    this.known.set(key, reference);
    return reference;
  }

  /**
   * Call before a batch is observed. A version is registered before it is routed to, but that event travels another way
   * than the predictions: until patience ends the batch is better read again than taken without reference.
   * @throws MillraceError DEPENDENCY_UNAVAILABLE
   */
  requireKnown(pairs: Iterable<{ readonly model: string; readonly version: string }>): void {
    const now = this.messaging.now().getTime();
    for (const { model, version } of pairs) {
      const key = keyOf(model, version);
      if (this.models.get(model) !== undefined && this.known.has(key)) continue;
      const since = this.firstMissed.get(key) ?? now;
      this.firstMissed.set(key, since);
      this.load(model, version).catch(() => undefined);
      if (now - since < this.settings.patienceSeconds * 1_000) throw new MillraceError('DEPENDENCY_UNAVAILABLE', `Version ${version} of model ${model} has not arrived here yet.`);
    }
  }
}

const keyOf = (model: string, version: string): string => JSON.stringify([model, version]);
