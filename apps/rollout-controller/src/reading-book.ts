import { readOn, type Reading } from '@millrace/core/rollout';
import type { Transaction } from '@millrace/persistence';
import type { ReadingStore, ReadRange } from './reading.store.js';

interface Page {
  last: Reading | undefined;
  readonly unsaved: Map<number, Reading>;
}

/** The readings of the roll-outs that learn in one transaction. */
export class ReadingBook {
  private readonly pages = new Map<string, Page>();

  constructor(
    private readonly store: ReadingStore,
    private readonly transaction: Transaction,
  ) {}

  /** Call before the roll-out learns from the event. */
  async note(rolloutId: string, event: { readonly topic: string; readonly partition: number; readonly offset: number }): Promise<void> {
    const page = await this.page(rolloutId);
    page.last = readOn(page.last, event);
    page.unsaved.set(page.last.number, page.last);
  }

  /** What the roll-out has learnt from so far. */
  async soFar(rolloutId: string): Promise<{ reading: { number: number; toOffset: number } | null; offsets: ReadRange[] }> {
    const { last } = await this.page(rolloutId);
    if (last === undefined) return { reading: null, offsets: [] };
    await this.save();
    return { reading: { number: last.number, toOffset: last.toOffset }, offsets: await this.store.ranges(this.transaction, rolloutId) };
  }

  /** Call at the end of the transaction. */
  async save(): Promise<void> {
    for (const [rolloutId, { unsaved }] of this.pages) {
      await this.store.save(this.transaction, rolloutId, [...unsaved.values()]);
      unsaved.clear();
    }
  }

  private async page(rolloutId: string): Promise<Page> {
    const known = this.pages.get(rolloutId);
    if (known !== undefined) return known;
    const page: Page = { last: await this.store.last(this.transaction, rolloutId), unsaved: new Map() };
    this.pages.set(rolloutId, page);
    return page;
  }
}
