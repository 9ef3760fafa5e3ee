import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { contractChanged, specChanged, type ContractChanged, type SpecChanged } from '@millrace/contracts';
import { Messaging, type CompactedTable } from '@millrace/messaging';

/** Specs and contracts as the registry last told them. */
@Injectable()
export class ModelsInForce implements OnApplicationBootstrap {
  private specs: CompactedTable<typeof specChanged> | undefined;
  private contracts: CompactedTable<typeof contractChanged> | undefined;
  private loading: Promise<void> | undefined;
  private readonly listeners: ((model: string) => void)[] = [];

  constructor(private readonly messaging: Messaging) {}

  onApplicationBootstrap(): Promise<void> {
    return this.ready();
  }

  /** Resolves when both tables hold what was known at the start; whoever needs them during start-up waits here. */
  ready(): Promise<void> {
    this.loading ??= this.load();
    return this.loading;
  }

  private async load(): Promise<void> {
    this.contracts = await this.messaging.table(contractChanged);
    this.specs = await this.messaging.table(specChanged);
    this.specs.onChange((model) => this.tell([model]));
    this.contracts.onChange((stream) => this.tell(this.modelsOf(stream)));
  }

  /** A model’s spec or its stream’s contract is another one; either may come first. */
  onChange(listener: (model: string) => void): void {
    this.listeners.push(listener);
  }

  private tell(models: readonly string[]): void {
    for (const model of models) for (const listener of this.listeners) listener(model);
  }

  spec(model: string): SpecChanged | undefined {
    return this.specs?.get(model);
  }

  contract(stream: string): ContractChanged | undefined {
    return this.contracts?.get(stream);
  }

  models(): string[] {
    return (this.specs?.values() ?? []).map(({ model }) => model).sort();
  }

  modelsOf(stream: string): string[] {
    return this.models().filter((model) => this.spec(model)?.spec.spec.stream === stream);
  }
}
