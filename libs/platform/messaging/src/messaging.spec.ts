/**
 * Goal: on real PostgreSQL a fold’s state, its outbox and its offset move together, a second replica takes over without
 * loss or repetition, and the outbox reaches the log once.
 * Method: memory log, real database; two Messaging instances as two replicas; faults injected in handlers and producers.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { contractChanged, type ContractChanged } from '@millrace/contracts';
import { inTransaction, query, type Transaction } from '@millrace/persistence';
import { eventually, openTestDatabase, SilentLog, type TestDatabase } from '@millrace/testing';
import type { Delivery, OutgoingMessage } from './driver.js';
import { MemoryDriver } from './memory/memory.driver.js';
import { createRingTopics, Messaging } from './messaging.js';

class Seen1700000900000 {
  readonly name = 'Seen1700000900000';
  async up(runner: { query(sql: string): Promise<unknown> }): Promise<void> {
    await runner.query('CREATE TABLE seen (version text NOT NULL)');
  }
  async down(runner: { query(sql: string): Promise<unknown> }): Promise<void> {
    await runner.query('DROP TABLE seen');
  }
}

const versions = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index));

describe('Messaging on PostgreSQL', () => {
  let database: TestDatabase;
  let driver: MemoryDriver;
  let replicas: Messaging[];

  const replica = async (): Promise<Messaging> => {
    const messaging = new Messaging({ service: 'spec', driver, database: await database.replica(), now: () => new Date(), log: new SilentLog() });
    replicas.push(messaging);
    return messaging;
  };
  const contract = (messaging: Messaging, version: string): OutgoingMessage => {
    const data: ContractChanged = { stream: 'spec', version, sha256: 'b'.repeat(64), document: {}, changedAt: '2026-01-01T00:00:00Z' };
    return messaging.encode(contractChanged, data, { key: 'spec' });
  };
  const learn = (events: readonly { data: ContractChanged }[], transaction: Transaction) =>
    transaction.query('INSERT INTO seen SELECT unnest($1::text[])', [events.map(({ data }) => data.version)]);
  const echo = (text: string): OutgoingMessage => ({ topic: 'echo', key: 'k', headers: { n: text }, value: Buffer.from(text) });
  const echoed = async (count: number): Promise<string[]> => {
    const seen: Delivery[] = [];
    await driver.consume({ group: `reader-${Math.floor(performance.now() * 1000)}`, topics: ['echo'], onBatch: async (batch) => void seen.push(...batch) });
    await eventually(`${count} echoes`, () => seen.length >= count);
    return seen.map(({ value }) => value?.toString() ?? '');
  };

  beforeEach(async () => {
    database = await openTestDatabase('spec', [Seen1700000900000]);
    driver = new MemoryDriver();
    await createRingTopics(driver, 2);
    await driver.createTopics([{ topic: 'echo', partitions: 1, cleanup: 'delete' }]);
    replicas = [];
  });
  afterEach(async () => {
    for (const messaging of replicas) await messaging.stop();
    await database.drop();
  });

  it('keeps nothing of a failed batch and all of the next try', async () => {
    const messaging = await replica();
    let failures = 2;
    await messaging.fold('learn', {
      event: contractChanged,
      apply: async (events, transaction) => {
        await learn(events, transaction);
        if (failures-- > 0) throw new Error('injected after the insert');
        return events.map(({ data }) => echo(data.version));
      },
    });
    messaging.startOutbox();
    const producer = await driver.producer();
    await producer.send(versions(25).map((version) => contract(messaging, version)));
    expect(await echoed(25)).toEqual(versions(25));
    expect(await query(database.source, 'SELECT version FROM seen')).toHaveLength(25);
    await eventually('the outbox is empty', async () => (await query(database.source, 'SELECT 1 FROM outbox')).length === 0);
  });

  it('lets a second replica take over without loss or repetition', async () => {
    const [first, second] = [await replica(), await replica()];
    const apply = async (events: readonly { data: ContractChanged }[], transaction: Transaction) => {
      await learn(events, transaction);
      return events.map(({ data }) => echo(data.version));
    };
    const producer = await driver.producer();
    await first.fold('learn', { event: contractChanged, apply });
    first.startOutbox();
    await producer.send(versions(40).map((version) => contract(first, version)));
    await second.fold('learn', { event: contractChanged, apply });
    second.startOutbox();
    await producer.send(versions(80).slice(40).map((version) => contract(second, version)));
    await eventually('all is learnt', async () => (await query(database.source, 'SELECT version FROM seen')).length >= 80);
    await first.stop();
    replicas.splice(replicas.indexOf(first), 1);
    expect((await echoed(80)).sort((a, b) => Number(a) - Number(b))).toEqual(versions(80));
    expect(await query(database.source, 'SELECT DISTINCT version FROM seen')).toHaveLength(80);
  });

  it('publishes what a store enqueued in its transaction, and nothing of one that was rolled back', async () => {
    const messaging = await replica();
    messaging.startOutbox();
    await expect(
      inTransaction(database.source, async (transaction) => {
        await messaging.enqueue(transaction, [echo('rolled back')]);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await inTransaction(database.source, (transaction) => messaging.enqueue(transaction, [echo('kept'), echo('too')]));
    messaging.wakeOutbox();
    expect(await echoed(2)).toEqual(['kept', 'too']);
  });

  it('numbers batches on when the database was made anew but Kafka was not', async () => {
    const messaging = await replica();
    const old = await driver.transactionalProducer('spec.outbox');
    await old.transact([], { group: 'spec.outbox', topic: 'messaging.event-refused.v1', partition: 0, offset: 41 });
    await inTransaction(database.source, (transaction) => messaging.enqueue(transaction, [echo('first of the new database')]));
    messaging.startOutbox();
    expect(await echoed(1)).toEqual(['first of the new database']);
    await eventually('progress goes on from 41', async () => (await driver.committedOffset('spec.outbox', 'messaging.event-refused.v1', 0)) === 42);
  });
});
