import type { EventDefinition } from '@millrace/contracts';
import type { CheckpointFoldOptions, Messaging } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import type { DriftMonitoringSettings } from './drift-monitoring.config.js';
import type { MonitoredModels } from './monitored-models.js';
import type { PaneBook } from './pane-book.js';
import type { PaneSource } from './pane.js';

export interface PaneFolding<D extends EventDefinition> {
  readonly purpose: PaneSource;
  readonly event: D;
  readonly books: readonly Pick<PaneBook<unknown>, 'restore' | 'save' | 'saved'>[];
  observe(events: Parameters<CheckpointFoldOptions<D, Transaction>['observe']>[1]): void;
}

/** Folds a topic into books of panes: the panes and the position in the topic are kept together. */
export async function foldPanes<D extends EventDefinition>(messaging: Messaging, models: MonitoredModels, settings: DriftMonitoringSettings, { purpose, event, books, observe }: PaneFolding<D>): Promise<void> {
  await models.start();
  await messaging.checkpointFold(purpose, {
    event,
    everyMs: settings.saveEveryMs,
    everyRecords: settings.saveEveryRecords,
    restore: async (partition) => {
      for (const book of books) await book.restore(partition);
    },
    observe: (_partition, events) => observe(events),
    save: async (partition, _toOffset, transaction) => {
      for (const book of books) await book.save(partition, transaction);
      return [];
    },
    saved: (partition) => {
      for (const book of books) book.saved(partition);
    },
  });
}
