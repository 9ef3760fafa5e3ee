import { Injectable } from '@nestjs/common';
import { MillraceError } from '@millrace/contracts';
import { rolloutCommands, type RolloutCommand } from '@millrace/core/rollout';
import { Messaging } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { RolloutConductor, type ModelConduct } from './rollout-conductor.js';
import { reportConduct } from './rollout-controller.metrics.js';
import { RolloutStore, type RolloutRow } from './rollout.store.js';

export interface Order {
  readonly by: string;
  readonly reason: string;
}
export { rolloutCommands };

/** What people order. Each order is one transaction: state, step, route and outgoing events together. */
@Injectable()
export class CommandRolloutsHandler {
  constructor(
    private readonly store: RolloutStore,
    private readonly conductor: RolloutConductor,
    private readonly messaging: Messaging,
  ) {}

  /** @throws MillraceError VERSION_UNKNOWN, ROLLOUT_COMMAND_REFUSED, DEPENDENCY_UNAVAILABLE while the model’s spec has not arrived. */
  start(model: string, version: string, { by, reason }: Order): Promise<RolloutRow> {
    return this.inTransaction(model, async (transaction, conduct) => {
      if ((await this.store.version(transaction, model, version)) === undefined) throw new MillraceError('VERSION_UNKNOWN', `version ${version} of ${model} was never registered`);
      if (conduct.model.route?.champion.version === version) throw new MillraceError('ROLLOUT_COMMAND_REFUSED', `version ${version} is the champion of ${model} already`);
      return conduct.start({ version, startedBy: by, reason: `started by ${by}: ${reason}`, verdict: 'by-hand' });
    });
  }

  /** @throws MillraceError ROLLOUT_UNKNOWN, ROLLOUT_COMMAND_REFUSED */
  async command(rolloutId: string, command: RolloutCommand, order: Order): Promise<RolloutRow> {
    const known = await this.store.find(rolloutId);
    if (known === undefined) throw new MillraceError('ROLLOUT_UNKNOWN', `there is no roll-out ${rolloutId}`);
    return this.inTransaction(known.model, async (transaction, conduct) => {
      const row = (await this.store.get(transaction, rolloutId)) ?? known;
      const { row: next, refused } = await this.carryOut(transaction, conduct, row, command, order);
      if (refused !== null) throw new MillraceError('ROLLOUT_COMMAND_REFUSED', `roll-out ${rolloutId} refuses ${command}: ${refused}`);
      await this.store.save(transaction, next);
      await conduct.choose();
      return next;
    });
  }

  private async carryOut(transaction: Transaction, conduct: ModelConduct, row: RolloutRow, command: RolloutCommand, { by, reason }: Order): Promise<{ row: RolloutRow; refused: string | null }> {
    const tale = `${command} by ${by}: ${reason}`;
    if (row.status === 'waiting') {
      return command === 'abort' ? { row: await conduct.endByHand(row, 'aborted', tale), refused: null } : { row, refused: 'it waits for another roll-out to end; it can only be aborted' };
    }
    if (row.status === 'ended' && command === 'rollback') {
      const refused = await this.whyNotBack(transaction, conduct, row);
      return refused === null ? { row: await conduct.endByHand(row, 'rolled-back', tale), refused: null } : { row, refused };
    }
    return conduct.decide(row, { type: 'command', command, by, reason });
  }

  /** A completed roll-out can be taken back as long as nothing has followed it. */
  private async whyNotBack(transaction: Transaction, conduct: ModelConduct, row: RolloutRow): Promise<string | null> {
    if (row.phase !== 'full') return `it has ended: ${row.phase}`;
    if (row.championVersion === null) return 'it was the first of its model; there is no version to go back to';
    if (conduct.model.route?.champion.version !== row.candidateVersion) return 'another version has become the champion since';
    return (await this.store.running(transaction, row.model)).length === 0 ? null : 'another roll-out is under way; end that one first';
  }

  private async inTransaction(model: string, work: (transaction: Transaction, conduct: ModelConduct) => Promise<RolloutRow>): Promise<RolloutRow> {
    const done = await this.store.transact(async (transaction) => {
      const conduct = await this.conductor.of(transaction, model);
      const row = await work(transaction, conduct);
      await this.messaging.enqueue(transaction, conduct.messages);
      return { conduct, row };
    });
    this.messaging.wakeOutbox();
    reportConduct(done.conduct, done.row);
    return done.row;
  }
}
