import { Injectable } from '@nestjs/common';
import type { RecordRefused } from '@millrace/contracts';
import type { OutgoingMessage, Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { AccountingStore } from './accounting.store.js';

@Injectable()
export class CountRefusedHandler {
  constructor(private readonly accounting: AccountingStore) {}

  async handle(events: readonly Received<RecordRefused>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    const counts = new Map<string, { stream: string; kind: string; code: string; count: number }>();
    for (const { data } of events) {
      const place = `${data.stream}|${data.kind}|${data.code}`;
      const entry = counts.get(place) ?? { stream: data.stream, kind: data.kind, code: data.code, count: 0 };
      entry.count += 1;
      counts.set(place, entry);
    }
    await this.accounting.addRefused(transaction, [...counts.values()]);
    return [];
  }
}
