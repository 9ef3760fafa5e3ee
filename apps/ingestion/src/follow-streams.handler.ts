import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { contractChanged, MillraceError, type ContractChanged } from '@millrace/contracts';
import { Messaging } from '@millrace/messaging';
import { Readiness, ServiceLog } from '@millrace/service';
import { AcceptRecordsHandler, type Intake, type RecordKind } from './accept-records.handler.js';
import { IngestionSettings } from './ingestion.config.js';
import { ingestionMetrics } from './ingestion.metrics.js';
import { IntakePipe, type PipeState } from './intake-pipe.js';
import { sidesOf, type StreamSide } from './stream-sides.js';

export interface StreamState {
  readonly stream: string;
  readonly contractVersion: string;
  readonly record: PipeState;
  readonly label: PipeState;
}

const kinds: readonly RecordKind[] = ['record', 'label'];

interface Followed {
  readonly contractVersion: string;
  readonly sides: Record<RecordKind, StreamSide>;
}

/** Keeps one pipe per stream and kind in step with the contracts: new ones start, changed topics restart, dropped ones stop. */
@Injectable()
export class FollowStreamsHandler implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly streams = new Map<string, Followed>();
  private readonly pipes = new Map<string, IntakePipe>();

  constructor(
    private readonly messaging: Messaging,
    private readonly acceptRecords: AcceptRecordsHandler,
    private readonly settings: IngestionSettings,
    private readonly log: ServiceLog,
    readiness: Readiness,
  ) {
    readiness.addNote('producer topics', () => this.missingTopics());
  }

  async onApplicationBootstrap(): Promise<void> {
    const contracts = await this.messaging.table(contractChanged);
    for (const contract of contracts.values()) this.follow(contract.stream, contract);
    contracts.onChange((stream, entry) => this.follow(stream, entry?.data));
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all([...this.pipes.values()].map((pipe) => pipe.close()));
  }

  /** @throws MillraceError STREAM_UNKNOWN */
  intake(stream: string, kind: RecordKind): Intake {
    const followed = this.streams.get(stream);
    if (followed === undefined) throw new MillraceError('STREAM_UNKNOWN', `No contract names the stream ${JSON.stringify(stream)}.`);
    return { stream, kind, identity: followed.sides[kind].identity, bytesMax: this.settings.recordBytesMax };
  }

  states(): StreamState[] {
    return [...this.streams]
      .map(([stream, { contractVersion }]) => ({
        stream,
        contractVersion,
        record: this.pipeOf(stream, 'record').state(),
        label: this.pipeOf(stream, 'label').state(),
      }))
      .sort((a, b) => (a.stream < b.stream ? -1 : 1));
  }

  follow(stream: string, contract: ContractChanged | undefined): void {
    if (contract === undefined) {
      this.streams.delete(stream);
    } else {
      try {
        this.streams.set(stream, { contractVersion: contract.version, sides: sidesOf(contract) });
      } catch (error) {
        this.log.warn({ err: error, stream, version: contract.version }, `contract ${contract.version} of ${stream} cannot be used; the last good one stays in force`);
        return;
      }
    }
    for (const kind of kinds) this.pipeOf(stream, kind).aim(this.streams.get(stream)?.sides[kind].topic ?? null);
  }

  private pipeOf(stream: string, kind: RecordKind): IntakePipe {
    const name = `${stream}.${kind}`;
    let pipe = this.pipes.get(name);
    if (pipe === undefined) {
      pipe = new IntakePipe({
        purpose: name,
        messaging: this.messaging,
        transform: (deliveries) => this.acceptRecords.handle(deliveries, this.intake(stream, kind)),
        createTopics: this.settings.createProducerTopics === '1',
        retryMs: this.settings.topicRetryMs,
        onState: () => ingestionMetrics.topicsMissing.set([...this.pipes.values()].filter((one) => one.state().state === 'waiting').length),
        onWaiting: (topic, error) => this.log.warn({ err: error, stream, kind, topic }, `topic ${topic} cannot be read; looking again in ${this.settings.topicRetryMs} ms`),
      });
      this.pipes.set(name, pipe);
    }
    return pipe;
  }

  private missingTopics(): string | undefined {
    const missing = [...this.pipes.values()].map((pipe) => pipe.state()).filter(({ state }) => state === 'waiting');
    return missing.length === 0 ? undefined : `cannot read yet: ${missing.map(({ topic, reason }) => `${topic} (${reason ?? 'connecting'})`).join(', ')}`;
  }
}
