import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { MillraceError, specChanged } from '@millrace/contracts';
import { durationMs } from '@millrace/core/drift';
import type { LabelReading } from '@millrace/core/dataset';
import { Messaging, type CompactedTable } from '@millrace/messaging';

/** What joining needs to know of a model. */
export interface JoinedModel extends LabelReading {
  readonly model: string;
  readonly stream: string;
  readonly maximumDelayMs: number;
  /** Features whose values travel with the outcomes: those that fairness is judged by, and the slices of roll-outs. */
  readonly groupFields: readonly string[];
  /** Numbers of the label’s record that travel with the outcomes: the business metric that roll-outs are guarded by. */
  readonly measureFields: readonly string[];
}

/** Which models read which stream, and how each reads its label. Follows the specs of the registry. */
@Injectable()
export class ModelSpecs implements OnApplicationBootstrap {
  private table: CompactedTable<typeof specChanged> | undefined;
  private readonly byModel = new Map<string, JoinedModel>();
  private byStream = new Map<string, readonly JoinedModel[]>();

  constructor(private readonly messaging: Messaging) {}

  async onApplicationBootstrap(): Promise<void> {
    const table = await this.messaging.table(specChanged);
    this.table = table;
    table.onChange(() => this.learn());
    this.learn();
  }

  get(model: string): JoinedModel | undefined {
    return this.byModel.get(model);
  }

  /** @throws MillraceError MODEL_UNKNOWN */
  require(model: string): JoinedModel {
    const found = this.byModel.get(model);
    if (found === undefined) throw new MillraceError('MODEL_UNKNOWN', `No model is named ${JSON.stringify(model)}.`);
    return found;
  }

  readersOf(stream: string): readonly JoinedModel[] {
    return this.byStream.get(stream) ?? [];
  }

  /** A model whose spec is withdrawn keeps its last one here: its labels are still to come. */
  private learn(): void {
    for (const { model, spec } of this.table?.values() ?? []) {
      const { task, stream, label, monitoring, rollout } = spec.spec;
      this.byModel.set(model, { model, stream, task, label, maximumDelayMs: durationMs(label.maximumDelay), groupFields: [...new Set([...monitoring.fairness.map(({ by }) => by), ...rollout.slices])], measureFields: rollout.guards.business === undefined ? [] : [rollout.guards.business.field] });
    }
    const byStream = new Map<string, JoinedModel[]>();
    for (const model of this.byModel.values()) byStream.set(model.stream, [...(byStream.get(model.stream) ?? []), model]);
    this.byStream = byStream;
  }
}
