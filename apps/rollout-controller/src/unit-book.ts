import { unitsIn, type CountedUnit } from '@millrace/core/rollout';
import type { OutcomeObserved } from '@millrace/contracts';
import type { Transaction } from '@millrace/persistence';
import type { CountedUnitStore } from './counted-unit.store.js';

interface Page {
  readonly counted: Set<string>;
  readonly unsaved: CountedUnit[];
}

const keyOf = ({ step, unit }: CountedUnit): string => `${step}/${unit}`;

/** Which units have counted in the roll-outs that learn in one transaction. */
export class UnitBook {
  private readonly pages = new Map<string, Page>();
  private expected: readonly string[] = [];

  constructor(
    private readonly store: CountedUnitStore,
    private readonly transaction: Transaction,
  ) {}

  /** Call before any of these outcomes is weighed: their units are looked up together. */
  expect(outcomes: readonly OutcomeObserved[]): void {
    this.expected = outcomes.flatMap(unitsIn);
  }

  /** For the outcomes that are expected. */
  async of(rolloutId: string): Promise<(unit: CountedUnit) => boolean> {
    const { counted } = await this.page(rolloutId);
    return (unit) => counted.has(keyOf(unit));
  }

  async note(rolloutId: string, units: readonly CountedUnit[]): Promise<void> {
    const page = await this.page(rolloutId);
    for (const unit of units) page.counted.add(keyOf(unit));
    page.unsaved.push(...units);
  }

  /** A roll-out begins: what ended ones had counted is of no use any more. */
  forgetEnded(model: string): Promise<void> {
    return this.store.forgetEnded(this.transaction, model);
  }

  /** Call at the end of the transaction. */
  async save(): Promise<void> {
    for (const [rolloutId, { unsaved }] of this.pages) await this.store.add(this.transaction, rolloutId, unsaved.splice(0));
  }

  private async page(rolloutId: string): Promise<Page> {
    const known = this.pages.get(rolloutId);
    if (known !== undefined) return known;
    const page: Page = { counted: new Set((await this.store.among(this.transaction, rolloutId, this.expected)).map(keyOf)), unsaved: [] };
    this.pages.set(rolloutId, page);
    return page;
  }
}
