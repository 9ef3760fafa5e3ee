import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { canonicalJson, contractChanged, MillraceError, sha256Hex, type ContractChanged } from '@millrace/contracts';
import { compileContract } from '@millrace/core/data-quality';
import { Messaging } from '@millrace/messaging';
import { inTransaction } from '@millrace/persistence';
import { ContractStore } from './contract.store.js';

export interface Applied<T> {
  readonly changed: boolean;
  readonly value: T;
}

@Injectable()
export class ApplyContractHandler {
  constructor(
    private readonly database: DataSource,
    private readonly messaging: Messaging,
    private readonly contracts: ContractStore,
  ) {}

  /** Idempotent by content. @throws MillraceError CONTRACT_INVALID with every mistake. */
  async handle(stream: string, document: unknown): Promise<Applied<ContractChanged>> {
    const compiled = compileContract(document);
    if (compiled.stream !== stream) throw invalid('/id', `the contract is about ${compiled.stream}, but it was sent for ${stream}`);
    const contract: ContractChanged = {
      stream,
      version: compiled.version,
      sha256: sha256Hex(canonicalJson(document)),
      document: document as Record<string, unknown>,
      changedAt: this.messaging.now().toISOString(),
    };
    const applied = await inTransaction(this.database, async (transaction): Promise<Applied<ContractChanged>> => {
      await this.contracts.lock(transaction, stream);
      const known = await this.contracts.find(transaction, stream, contract.version);
      if (known !== undefined) return { changed: false, value: sameContent(known, contract) };
      await this.contracts.add(transaction, contract);
      const id = `contract-changed:${stream}:${contract.version}`;
      await this.messaging.enqueue(transaction, [this.messaging.encode(contractChanged, contract, { key: stream, id })]);
      return { changed: true, value: contract };
    });
    this.messaging.wakeOutbox();
    return applied;
  }
}

function sameContent(known: ContractChanged, sent: ContractChanged): ContractChanged {
  if (known.sha256 === sent.sha256) return known;
  throw invalid('/version', `version ${sent.version} of ${sent.stream} exists with other content; a changed contract needs a higher version`);
}

function invalid(path: string, message: string): MillraceError {
  return new MillraceError('CONTRACT_INVALID', `the data contract has 1 mistake: ${path}: ${message}`, { mistakes: [{ path, message }] });
}
