import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { canonicalJson, MillraceError, parseModelSpec, sha256Hex, specChanged, type Mistake, type ModelSpec, type SpecChanged } from '@millrace/contracts';
import { compileContract, type CompiledContract } from '@millrace/core/data-quality';
import { Messaging } from '@millrace/messaging';
import { inTransaction } from '@millrace/persistence';
import type { Applied } from './apply-contract.handler.js';
import { ContractStore } from './contract.store.js';
import { SpecStore } from './spec.store.js';

@Injectable()
export class ApplySpecHandler {
  constructor(
    private readonly database: DataSource,
    private readonly messaging: Messaging,
    private readonly contracts: ContractStore,
    private readonly specs: SpecStore,
  ) {}

  /** Idempotent by content. @throws MillraceError SPEC_INVALID with every mistake. */
  async handle(model: string, document: unknown): Promise<Applied<SpecChanged>> {
    const spec = parseModelSpec(document);
    const contract = await this.contracts.current(spec.spec.stream);
    const mistakes = mistakesAgainst(model, spec, contract === undefined ? undefined : compileContract(contract.document));
    if (mistakes.length > 0) {
      const list = mistakes.map(({ path, message }) => `${path}: ${message}`).join('; ');
      throw new MillraceError('SPEC_INVALID', `the model spec has ${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'}: ${list}`, { mistakes });
    }
    const sha256 = sha256Hex(canonicalJson(spec));
    const applied = await inTransaction(this.database, async (transaction): Promise<Applied<SpecChanged>> => {
      const current = await this.specs.lockCurrent(transaction, model);
      if (current?.sha256 === sha256) return { changed: false, value: current };
      const next: SpecChanged = { model, revision: (current?.revision ?? 0) + 1, sha256, spec, changedAt: this.messaging.now().toISOString() };
      await this.specs.add(transaction, next);
      const id = `spec-changed:${model}:${next.revision}`;
      await this.messaging.enqueue(transaction, [this.messaging.encode(specChanged, next, { key: model, id })]);
      return { changed: true, value: next };
    });
    this.messaging.wakeOutbox();
    return applied;
  }
}

const fits = { number: ['integer', 'number', 'boolean'], category: ['string', 'integer', 'boolean'] } as const;

/** What only the contract can tell: that the stream exists, and that its records carry the features and its labels the label. */
function mistakesAgainst(model: string, { metadata, spec }: ModelSpec, contract: CompiledContract | undefined): Mistake[] {
  const mistakes: Mistake[] = [];
  if (metadata.name !== model) mistakes.push({ path: '/metadata/name', message: `the spec is about ${metadata.name}, but it was sent for ${model}` });
  if (contract === undefined) {
    mistakes.push({ path: '/spec/stream', message: `no contract is registered for the stream ${spec.stream}; apply the contract first` });
    return mistakes;
  }
  const fields = new Map(contract.record.fields.map((field) => [field.name, field]));
  spec.features.forEach(({ name, type }, index) => {
    const field = fields.get(name);
    const accepted: readonly string[] = fits[type];
    if (field === undefined) mistakes.push({ path: `/spec/features/${index}/name`, message: `the records of ${spec.stream} have no field ${name} (contract ${contract.version})` });
    else if (!accepted.includes(field.logicalType)) mistakes.push({ path: `/spec/features/${index}/type`, message: `${name} is a ${field.logicalType} in contract ${contract.version}; a ${type} feature takes ${accepted.join(', ')}` });
  });
  if (!contract.label.fields.some(({ name }) => name === spec.label.field)) {
    mistakes.push({ path: '/spec/label/field', message: `the labels of ${spec.stream} have no field ${spec.label.field} (contract ${contract.version})` });
  }
  return mistakes;
}
