import { Injectable } from '@nestjs/common';
import { contractChanged, MillraceError, type ContractChanged, type RecordQuarantined } from '@millrace/contracts';
import { Messaging } from '@millrace/messaging';
import { ServiceLog } from '@millrace/service';
import type { CompiledContract as StreamContract } from '@millrace/core/data-quality';
import { compileStreamContract } from './stream-contract.js';
import { ContractStore } from './contract.store.js';

export type { ContractProperty } from './stream-contract.js';
export type { CompiledContract as StreamContract } from '@millrace/core/data-quality';
export type RecordKind = RecordQuarantined['kind'];
export type Violation = RecordQuarantined['violations'][number];

/** The newest contract of each stream, compiled once, and every older version that is still asked for. */
@Injectable()
export class ContractsInForce {
  private readonly current = new Map<string, StreamContract>();
  private readonly versions = new Map<string, StreamContract>();
  private started: Promise<void> | undefined;

  constructor(
    private readonly messaging: Messaging,
    private readonly store: ContractStore,
    private readonly log: ServiceLog,
  ) {}

  /** Complete once resolved. Whoever needs it first starts it. */
  start(): Promise<void> {
    this.started ??= this.follow();
    return this.started;
  }

  get(stream: string): StreamContract | undefined {
    return this.current.get(stream);
  }

  /** @throws MillraceError CONTRACT_UNKNOWN */
  require(stream: string): StreamContract {
    const contract = this.current.get(stream);
    if (contract === undefined) throw new MillraceError('CONTRACT_UNKNOWN', `No contract is registered for the stream ${JSON.stringify(stream)}.`);
    return contract;
  }

  /** A version that was in force once. */
  async version(stream: string, version: string): Promise<StreamContract | undefined> {
    const place = `${stream}@${version}`;
    const known = this.versions.get(place);
    if (known !== undefined) return known;
    const kept = await this.store.find(stream, version);
    if (kept === undefined) return undefined;
    const contract = compileStreamContract(kept);
    this.versions.set(place, contract);
    return contract;
  }

  /** The version asked for, or else the one in force, or else undefined: what was admitted under it is archived all the same. */
  async versionOrInForce(stream: string, version: string): Promise<StreamContract | undefined> {
    return (await this.version(stream, version)) ?? this.current.get(stream);
  }

  private async follow(): Promise<void> {
    const table = await this.messaging.table(contractChanged);
    for (const event of table.values()) this.learn(event);
    // A stream whose contract is withdrawn keeps its last one here: its records in flight must still be judged.
    table.onChange((_stream, entry) => void (entry === undefined ? undefined : this.learn(entry.data)));
  }

  private learn(event: ContractChanged): void {
    let contract: StreamContract;
    try {
      contract = compileStreamContract(event);
    } catch (error) {
      this.log.warn({ err: error, stream: event.stream, version: event.version }, `contract ${event.version} of ${event.stream} cannot be used; the last good one stays in force`);
      return;
    }
    this.current.set(event.stream, contract);
    this.versions.set(`${event.stream}@${event.version}`, contract);
    this.store.keep(event).catch((error: unknown) => this.log.warn({ err: error, stream: event.stream }, 'a contract version could not be kept; memory still holds it'));
  }
}
