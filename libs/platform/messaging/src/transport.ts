import { EventPattern, Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { lastValueFrom, isObservable } from 'rxjs';
import type { DataOf, EventDefinition } from '@millrace/contracts';
import type { Transaction } from '@millrace/persistence';
import type { OutgoingMessage } from './driver.js';
import type { Received } from './envelope.js';
import { judgeBatch } from './judge-batch.js';
import type { Messaging } from './messaging.js';

export const MILLRACE_TRANSPORT = Symbol('millrace');

/** What a consumer method says about itself. `purpose` ends the group’s name and must never change. */
export interface ConsumerDeclaration {
  readonly mode: 'pipe' | 'fold';
  readonly purpose: string;
  readonly event: EventDefinition;
}

/** `(events) → messages`: Kafka → Kafka in one transaction. The method gets `Received<Data>[]` of one partition. */
export function PipeFrom(event: EventDefinition, purpose: string): MethodDecorator {
  return declare({ mode: 'pipe', purpose, event });
}

/** `({ events, transaction }: FoldBatch) → messages`: Kafka → PostgreSQL; state, outbox and offset in one transaction. */
export function FoldFrom(event: EventDefinition, purpose: string): MethodDecorator {
  return declare({ mode: 'fold', purpose, event });
}

function declare(declaration: ConsumerDeclaration): MethodDecorator {
  return EventPattern<string>(`${declaration.mode}:${declaration.purpose}`, MILLRACE_TRANSPORT, { declaration }) as MethodDecorator;
}

export interface FoldBatch<D extends EventDefinition> {
  readonly events: readonly Received<DataOf<D>>[];
  readonly transaction: Transaction;
}

/**
 * Nest’s own Kafka transport is message by message, one consumer for all topics, and a poison record stops the healthy
 * ones. This one gives each declared consumer its own group and hands whole batches to our pipe and fold.
 */
export class MillraceTransport extends Server implements CustomTransportStrategy {
  override readonly transportId = MILLRACE_TRANSPORT;

  constructor(
    private readonly messaging: Messaging,
    private readonly service: string,
  ) {
    super();
  }

  listen(callback: (error?: unknown) => void): void {
    const starts = [...this.getHandlers().values()].map((handler) => this.start(handler));
    Promise.all(starts).then(
      () => callback(),
      (error: unknown) => callback(error),
    );
  }

  /** Consumers are stopped by the service host, in its own order: before the database closes, after the HTTP edge has drained. */
  close(): void {}

  override on(): never {
    throw new Error('the millrace transport publishes no driver events; use metrics and logs');
  }

  override unwrap<T>(): T {
    return this.messaging as T;
  }

  private async start(handler: MessageHandler): Promise<void> {
    const declaration = (handler.extras as { declaration?: ConsumerDeclaration } | undefined)?.declaration;
    if (declaration === undefined) return;
    const { event, purpose } = declaration;
    if (declaration.mode === 'fold') {
      await this.messaging.fold(purpose, { event, apply: (events, transaction) => call(handler, { events, transaction }) });
      return;
    }
    const reader = { service: this.service, group: this.messaging.group(purpose), now: () => this.messaging.now() };
    await this.messaging.pipe(purpose, {
      topics: [event.type],
      transform: async (deliveries) => {
        const { events, refused } = judgeBatch(event, deliveries, reader);
        return [...refused, ...(events.length === 0 ? [] : await call(handler, events))];
      },
    });
  }
}

async function call(handler: MessageHandler, payload: unknown): Promise<OutgoingMessage[]> {
  const answer: unknown = await handler(payload, {});
  const value: unknown = isObservable(answer) ? await lastValueFrom(answer, { defaultValue: [] }) : answer;
  return Array.isArray(value) ? (value as OutgoingMessage[]) : [];
}
