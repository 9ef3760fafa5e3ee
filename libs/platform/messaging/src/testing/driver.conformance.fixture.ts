import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { contractChanged, topics, type ContractChanged } from '@millrace/contracts';
import { eventually } from '@millrace/testing';
import { CheckpointFold } from '../checkpoint-fold.js';
import { FencedError, type Delivery, type LogDriver, type OutgoingMessage } from '../driver.js';
import { encodeEvent } from '../envelope.js';
import { Fold } from '../fold.js';
import { MemoryLedger } from '../memory/memory.ledger.js';
import { Pipe } from '../pipe.js';
import { readRanges } from '../read-ranges.js';
import { Relay } from '../relay.js';
import { CompactedTable } from '../table.js';

const message = (topic: string, key: string | null, text: string): OutgoingMessage => ({ topic, key, headers: { kind: 'test' }, value: Buffer.from(text) });
const textOf = (delivery: Delivery): string => delivery.value?.toString('utf8') ?? '';
const reader = { service: 'conformance', group: 'conformance', now: () => new Date() };
const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, index) => String(from + index));
const byNumber = (texts: readonly string[]): string[] => [...texts].sort((a, b) => Number(a) - Number(b));

/**
 * Goal: whatever implements LogDriver carries pipe, fold, checkpoint fold, relay and table with the guarantees of the design.
 * Method: each law on fresh topics; failures are injected in handlers, owners are replaced in the middle; then what a
 * reader of committed records sees is compared with what was put in. Nothing is timed.
 */
export function describeLogDriver(name: string, open: () => Promise<LogDriver>): void {
  describe(`${name} as a log`, () => {
    let driver: LogDriver;
    const stops: { stop(): Promise<void> }[] = [];
    const fresh = (label: string): string => `${label}-${randomUUID().slice(0, 8)}`;
    const topicOf = async (label: string, partitions = 2): Promise<string> => {
      const topic = fresh(label);
      await driver.createTopics([{ topic, partitions, cleanup: 'delete' }]);
      return topic;
    };
    const keep = <T extends { stop(): Promise<void> }>(entry: T): T => (stops.push(entry), entry);
    const readAll = async (topic: string, count: number): Promise<Delivery[]> => {
      const seen: Delivery[] = [];
      const consumption = await driver.consume({ group: fresh('reader'), topics: [topic], onBatch: async (batch) => void seen.push(...batch) });
      await eventually(`${count} records in ${topic}, saw ${seen.length}`, () => seen.length >= count);
      await consumption.stop();
      return seen;
    };
    const ringEvent = (stream: string, version: string): OutgoingMessage => {
      const data: ContractChanged = { stream, version, sha256: 'a'.repeat(64), document: {}, changedAt: '2026-01-01T00:00:00Z' };
      return encodeEvent(contractChanged, data, { key: stream, source: '/millrace/conformance', time: data.changedAt });
    };

    beforeAll(async () => {
      driver = await open();
      await driver.createTopics((['registry.contract-changed.v1', 'messaging.event-refused.v1'] as const).map((topic) => ({ topic, partitions: 1, cleanup: topics[topic].cleanup })));
    });
    afterAll(async () => {
      for (const entry of stops.reverse()) await entry.stop();
      await driver.close();
    });

    it('keeps the order of a key, its headers and its bytes', async () => {
      const topic = await topicOf('order');
      const producer = await driver.producer();
      await producer.send(numbers(0, 200).map((text) => message(topic, `key-${Number(text) % 7}`, text)));
      const seen = await readAll(topic, 200);
      for (let key = 0; key < 7; key += 1) {
        const texts = seen.filter((delivery) => delivery.key === `key-${key}`).map(textOf);
        expect(texts).toEqual(numbers(0, 200).filter((text) => Number(text) % 7 === key));
      }
      expect(seen[0]?.headers['kind']).toBe('test');
      await producer.close();
    });

    it('delivers a failed batch again while other partitions go on', async () => {
      const topic = await topicOf('retry');
      const producer = await driver.producer();
      let failuresLeft = 3;
      const failed: number[] = [];
      const seen: string[] = [];
      keep(
        await driver.consume({
          group: fresh('retry'),
          topics: [topic],
          onFailure: (_error, { attempt }) => void failed.push(attempt),
          onBatch: async (batch) => {
            if (batch.some((delivery) => textOf(delivery) === '13') && failuresLeft > 0) {
              failuresLeft -= 1;
              throw new Error('injected');
            }
            seen.push(...batch.map(textOf));
          },
        }),
      );
      await producer.send(numbers(0, 40).map((text) => message(topic, text, text)));
      await eventually('all 40 records, once', () => seen.length >= 40);
      expect(byNumber(seen)).toEqual(numbers(0, 40));
      expect(failed).toEqual([1, 2, 3]);
      await producer.close();
    });

    it('fences the first of two transactional producers of one id', async () => {
      const topic = await topicOf('fence', 1);
      const id = fresh('fence');
      const progress = (offset: number) => ({ group: id, topic, partition: 0, offset });
      const first = await driver.transactionalProducer(id);
      await first.transact([message(topic, 'a', '1')], progress(1));
      const second = await driver.transactionalProducer(id);
      await second.transact([message(topic, 'a', '2')], progress(2));
      await expect(first.transact([message(topic, 'a', 'zombie')], progress(9))).rejects.toThrow(FencedError);
      expect(await driver.committedOffset(id, topic, 0)).toBe(2);
      await second.transact([message(topic, 'a', '3')], progress(3));
      expect((await readAll(topic, 3)).map(textOf)).toEqual(['1', '2', '3']);
      await Promise.allSettled([first.close(), second.close()]);
    });

    it('pipes each record exactly once through failures and a change of owner', async () => {
      const [input, output] = [await topicOf('pipe-in'), await topicOf('pipe-out')];
      const group = fresh('pipe');
      let calls = 0;
      const transform = (batch: readonly Delivery[]): OutgoingMessage[] => {
        calls += 1;
        if (calls % 3 === 2) throw new Error('injected');
        return batch.map((delivery) => message(output, delivery.key, textOf(delivery)));
      };
      const producer = await driver.producer();
      const first = await Pipe.start(driver, { group, topics: [input], transform });
      for (let block = 0; block < 5; block += 1) await producer.send(numbers(block * 50, block * 50 + 50).map((text) => message(input, text, text)));
      await eventually('the first pipe has done something', async () => (await driver.watermarks(output)).some(({ high }) => high > 0));
      const second = keep(await Pipe.start(driver, { group, topics: [input], transform }));
      await first.stop();
      for (let block = 5; block < 10; block += 1) await producer.send(numbers(block * 50, block * 50 + 50).map((text) => message(input, text, text)));
      expect(byNumber((await readAll(output, 500)).map(textOf))).toEqual(numbers(0, 500));
      expect(second).toBeDefined();
      await producer.close();
    });

    it('folds each event once, publishes once, and sets aside what can never succeed', async () => {
      const ledger = new MemoryLedger<{ seen: string[] }>({ seen: [] });
      const stream = fresh('s').replaceAll(/[^a-z0-9-]/g, '');
      const output = await topicOf('fold-out', 1);
      const producer = await driver.producer();
      let failOnce = true;
      const options = {
        group: fresh('fold'),
        event: contractChanged,
        apply: async (events: readonly { data: ContractChanged }[], transaction: { state: { seen: string[] } }) => {
          const mine = events.filter(({ data }) => data.stream === stream);
          transaction.state.seen.push(...mine.map(({ data }) => data.version));
          if (failOnce && mine.length > 0) {
            failOnce = false;
            throw new Error('injected after the state changed');
          }
          return mine.map(({ data }) => message(output, stream, data.version));
        },
      };
      keep(await Fold.start(driver, ledger, options, { ...reader, group: options.group }));
      await producer.send([...numbers(0, 20).map((version) => ringEvent(stream, version)), { topic: contractChanged.type, key: stream, headers: {}, value: Buffer.from('{"no":"contract"}') }, ringEvent(stream, '20')]);
      const relay = keep(new Relay(driver, { id: fresh('relay'), source: ledger, pollMs: 20 }));
      relay.start();
      expect((await readAll(output, 21)).map(textOf)).toEqual(numbers(0, 21));
      expect(ledger.state.seen).toEqual(numbers(0, 21));
      const refused: string[] = [];
      keep(
        await driver.consume({
          group: fresh('reader'),
          topics: ['messaging.event-refused.v1'],
          // The topic is everybody’s; this group’s own refusals are the ones to judge.
          onBatch: async (batch) => void refused.push(...batch.filter(({ key }) => key === stream).map(textOf).filter((text) => text.includes(options.group))),
        }),
      );
      await eventually('the refused event', () => refused.length > 0);
      expect(refused).toHaveLength(1);
      expect(JSON.parse(refused[0] ?? '{}')).toMatchObject({ code: 'EVENT_INVALID', topic: contractChanged.type, payloadBase64: Buffer.from('{"no":"contract"}').toString('base64') });
      await producer.close();
    });

    it('publishes a batch once when the relay dies between publishing and settling', async () => {
      const output = await topicOf('relay-out', 1);
      const id = fresh('relay');
      const ledger = new MemoryLedger<null>(null);
      await ledger.transact((transaction) => ledger.enqueue(transaction, numbers(0, 10).map((text) => message(output, 'k', text))));
      let dying = true;
      const source = {
        recover: (published: number) => ledger.recover(published),
        nextBatch: () => ledger.nextBatch(),
        settle: async (number: number) => {
          if (dying) {
            dying = false;
            throw new Error('killed before settling');
          }
          await ledger.settle(number);
        },
      };
      const relay = keep(new Relay(driver, { id, source, pollMs: 20 }));
      relay.start();
      await eventually('the batch is settled', async () => !dying && (await ledger.nextBatch()) === null);
      await ledger.transact((transaction) => ledger.enqueue(transaction, [message(output, 'k', '10')]));
      relay.wake();
      expect((await readAll(output, 11)).map(textOf)).toEqual(numbers(0, 11));
    });

    it('counts each event once in a checkpoint fold that forgets its memory', async () => {
      const ledger = new MemoryLedger<{ saved: string[] }>({ saved: [] });
      const stream = fresh('c');
      const group = fresh('checkpoint');
      let memory: string[] = [];
      let failSave = true;
      const start = () =>
        CheckpointFold.start(
          driver,
          ledger,
          {
            group,
            event: contractChanged,
            everyMs: 50,
            everyRecords: 7,
            restore: async () => void (memory = []),
            observe: (_partition, events) => memory.push(...events.filter(({ data }) => data.stream === stream).map(({ data }) => data.version)),
            save: async (_partition, _to, transaction) => {
              transaction.state.saved.push(...memory);
              if (failSave) {
                failSave = false;
                throw new Error('injected in save');
              }
              return [];
            },
            saved: () => void (memory = []),
          },
          { ...reader, group },
        );
      const producer = await driver.producer();
      const first = await start();
      await producer.send(numbers(0, 30).map((version) => ringEvent(stream, version)));
      await eventually('the first owner has saved some', () => ledger.state.saved.length > 0);
      const second = keep(await start());
      await first.stop();
      await producer.send(numbers(30, 60).map((version) => ringEvent(stream, version)));
      await eventually('all 60 are saved', () => ledger.state.saved.length >= 60);
      expect(byNumber(ledger.state.saved)).toEqual(numbers(0, 60));
      expect(second).toBeDefined();
      await producer.close();
    });

    it('passes over, in a checkpoint fold that wants it so, what stood there before and what nobody wants', async () => {
      const ledger = new MemoryLedger<{ saved: string[] }>({ saved: [] });
      const [stream, other, group] = [fresh('from-now'), fresh('unwanted'), fresh('from-now-group')];
      const producer = await driver.producer();
      await producer.send(numbers(0, 20).map((version) => ringEvent(stream, version)));
      const decoded: string[] = [];
      let memory: string[] = [];
      keep(await CheckpointFold.start(driver, ledger, {
        group, event: contractChanged, everyMs: 50, everyRecords: 5, fromNow: true,
        wanted: ({ value }) => value?.includes(stream) === true,
        restore: async () => void (memory = []),
        observe: (_partition, events) => {
          decoded.push(...events.map(({ data }) => data.stream));
          memory.push(...events.map(({ data }) => data.version));
        },
        save: async (_partition, _to, transaction) => (transaction.state.saved.push(...memory), []),
        saved: () => void (memory = []),
      }, { ...reader, group }));
      await producer.send([...numbers(0, 5).map((version) => ringEvent(other, version)), ...numbers(20, 40).map((version) => ringEvent(stream, version))]);
      await eventually('what came after the start is saved', () => ledger.state.saved.length >= 20);
      expect(byNumber(ledger.state.saved)).toEqual(numbers(20, 40));
      expect(new Set(decoded)).toEqual(new Set([stream]));
      await producer.close();
    });

    it('reads named ranges again, each record once and in the order of its partition', async () => {
      const topic = await topicOf('reread', 3);
      const writer = await driver.transactionalProducer(fresh('reread-writer'));
      // Transactions leave markers between the records of a real log.
      for (let block = 0; block < 4; block += 1) await writer.transact(numbers(block * 50, block * 50 + 50).map((text) => message(topic, text, text)), { group: topic, topic, partition: 0, offset: block });
      const all = await readAll(topic, 200);
      const of = (partition: number): Delivery[] => all.filter((delivery) => delivery.partition === partition);
      const range = (partition: number, from: number, to: number) => ({ partition, fromOffset: of(partition)[from]?.offset ?? 0, toOffset: (of(partition)[to - 1]?.offset ?? 0) + 1 });
      const seen: Delivery[] = [];
      const progress: { done: number; total: number }[] = [];
      await readRanges(driver, topic, [range(0, 10, 40), range(2, 1, 20)], (batch, far) => {
        seen.push(...batch);
        progress.push(far);
      });
      for (const [partition, from, to] of [[0, 10, 40], [1, 0, 0], [2, 1, 20]] as const) {
        expect(seen.filter((delivery) => delivery.partition === partition).map(textOf)).toEqual(of(partition).slice(from, to).map(textOf));
      }
      expect(progress.at(-1)?.done).toBe(progress[0]?.total);
      await expect(readRanges(driver, topic, [{ partition: 0, fromOffset: 0, toOffset: 1_000_000 }], () => undefined)).rejects.toMatchObject({ code: 'OFFSETS_UNAVAILABLE', message: expect.stringContaining('it ends at') });
      await expect(readRanges(driver, topic, [{ partition: 9, fromOffset: 0, toOffset: 1 }], () => undefined)).rejects.toMatchObject({ code: 'OFFSETS_UNAVAILABLE' });
      await writer.close();
    });

    it('fills a table before it is used, keeps the latest per key, drops tombstones', async () => {
      const [a, b] = [fresh('a'), fresh('b')];
      const writer = await driver.transactionalProducer(fresh('table-writer'));
      const progress = (offset: number) => ({ group: a, topic: contractChanged.type, partition: 0, offset });
      await writer.transact([ringEvent(a, '1'), ringEvent(b, '1'), ringEvent(a, '2')], progress(1));
      const table = keep(await CompactedTable.start(driver, contractChanged));
      expect(table.get(a)?.version).toBe('2');
      expect(table.get(b)?.version).toBe('1');
      await writer.transact([{ topic: contractChanged.type, key: b, headers: {}, value: null }], progress(2));
      await eventually('the tombstone has dropped b', () => table.get(b) === undefined);
      await writer.close();
    });
  });
}
