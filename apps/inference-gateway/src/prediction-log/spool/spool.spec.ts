// Goal: what was appended is handed out in order and exactly once, over restarts at any byte and any point of the relay’s
//   progress; the spool is bounded; its files go away when all they hold is in Kafka.
// Method: real files in a temporary folder; a model of what Kafka holds stands beside the spool; property test over histories.
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { predictionServed } from '@millrace/contracts';
import { RecordBytes, recordForm } from '@millrace/messaging';
import { eventually } from '@millrace/testing';
import { SpoolReader } from './spool-reader.js';
import { Spool, type SpoolOptions } from './spool.js';

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'spool-'));
  folders.push(folder);
  return folder;
}
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const form = recordForm(predictionServed, '/millrace/spec');
/** A record that is known by its key. */
function record(key: string): Buffer {
  const bytes = new RecordBytes();
  bytes.add(form, { key, id: 'i', time: 't', traceparent: undefined, json: Buffer.from('{}') });
  return bytes.view(0, bytes.length);
}

interface Options extends Partial<SpoolOptions> {
  readonly gatherMs?: number;
}

/** A spool with its reader in the same thread. What is appended are keys of records, one record a frame. */
class Spooled {
  readonly spool: Spool;
  readonly reader: SpoolReader;

  constructor(folder: string, { gatherMs = 0, ...options }: Options) {
    const nowMs = options.nowMs ?? (() => 1_000);
    this.spool = new Spool({ folder, bytesMax: 1_000_000, ...options, nowMs });
    this.reader = new SpoolReader({ view: () => this.spool.view(), onSettled: (settled) => this.spool.trim(settled), gatherMs, nowMs });
  }

  append(keys: readonly string[]): boolean {
    return this.spool.append(keys.map(record));
  }

  nextBatch = (): ReturnType<SpoolReader['nextBatch']> => this.reader.nextBatch();
  settle = (number: number): Promise<void> => this.reader.settle(number);
  recover = (published: number): Promise<void> => this.reader.recover(published);

  get instance(): string {
    return this.spool.instance;
  }

  get waitingBytes(): number {
    return this.spool.waitingBytes;
  }

  get tornBytes(): number {
    return this.spool.tornBytes;
  }

  close(): void {
    this.spool.close();
  }
}

const open = (folder: string, options: Options = {}): Spooled => new Spooled(folder, options);
const files = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.spool')).sort();

/** What the relay does, with a variable for what it keeps in Kafka. */
class Kafka {
  published = 0;
  readonly log: string[] = [];

  async publishOne(spool: Spooled, settle: boolean): Promise<boolean> {
    const batch = await spool.nextBatch();
    if (batch === null) return false;
    expect(batch.number).toBeGreaterThan(this.published);
    this.log.push(...batch.messages.map(({ key }) => key ?? ''));
    this.published = batch.number;
    if (settle) await spool.settle(batch.number);
    return true;
  }

  async drain(spool: Spooled): Promise<void> {
    await spool.recover(this.published);
    while (await this.publishOne(spool, true));
  }
}

describe('Spool', () => {
  it('hands out the same batch until it is settled, then the next', async () => {
    const spool = open(newFolder());
    spool.append(['a', 'b']);
    const first = await spool.nextBatch();
    spool.append(['c']);
    expect(await spool.nextBatch()).toBe(first);
    expect(first?.messages.map(({ key }) => key)).toEqual(['a', 'b']);
    await spool.settle(first?.number ?? 0);
    expect((await spool.nextBatch())?.messages.map(({ key }) => key)).toEqual(['c']);
    spool.close();
  });

  it('keeps its instance id, which names the relay, over restarts', () => {
    const folder = newFolder();
    const first = open(folder);
    first.close();
    const second = open(folder);
    expect(second.instance).toBe(first.instance);
    second.close();
  });

  it('does not publish again what was in Kafka when the process died before settling', async () => {
    const folder = newFolder();
    const kafka = new Kafka();
    const first = open(folder);
    first.append(['a']);
    first.append(['b']);
    await kafka.publishOne(first, false);
    first.append(['c']);
    first.close();
    const second = open(folder);
    second.append(['d']);
    await kafka.drain(second);
    expect(kafka.log).toEqual(['a', 'b', 'c', 'd']);
    second.close();
  });

  it('never uses a number twice, even when the machine lost the newest frames', async () => {
    const folder = newFolder();
    const kafka = new Kafka();
    const first = open(folder, { nowMs: () => 1_000 });
    first.append(['a', 'b', 'c']);
    await kafka.publishOne(first, false);
    first.close();
    for (const name of files(folder)) rmSync(join(folder, name));
    const second = open(folder, { nowMs: () => 1_001 });
    second.append(['d']);
    await kafka.drain(second);
    expect(kafka.log).toEqual(['a', 'b', 'c', 'd']);
    second.close();
  });

  it('cut off at any byte, gives every whole frame once and goes on behind the cut', async () => {
    const folder = newFolder();
    const spool = open(folder);
    const texts = ['first', 'second é', 'third'];
    for (const text of texts) spool.append([text]);
    spool.close();
    const [name] = files(folder);
    const whole = readFileSync(join(folder, name ?? ''));
    for (let cut = 0; cut <= whole.length; cut += 1) {
      const other = newFolder();
      writeFileSync(join(other, name ?? ''), whole.subarray(0, cut));
      const recovered = open(other);
      recovered.append(['fourth']);
      const kafka = new Kafka();
      await kafka.drain(recovered);
      let kept = 0;
      for (let end = 0; kept < texts.length; kept += 1) {
        end += 16 + record(texts[kept] ?? '').length;
        if (end > cut) break;
      }
      expect(kafka.log).toEqual([...texts.slice(0, kept), 'fourth']);
      recovered.close();
    }
  });

  it('is bounded by bytes, and takes more when some are settled', async () => {
    const spool = open(newFolder(), { bytesMax: 160 + 16 + record('').length });
    expect(spool.append(['x'.repeat(60)])).toBe(true);
    expect(spool.append(['x'.repeat(60)])).toBe(false);
    await spool.settle((await spool.nextBatch())?.number ?? 0);
    expect(spool.waitingBytes).toBe(0);
    expect(spool.append(['x'.repeat(60)])).toBe(true);
    spool.close();
  });

  it('begins new files and deletes those that are in Kafka', async () => {
    const folder = newFolder();
    const spool = open(folder, { segmentBytes: 50 + 16 + record('').length });
    for (let index = 0; index < 10; index += 1) spool.append([`record number ${index} of ten`]);
    expect(files(folder).length).toBe(5);
    const kafka = new Kafka();
    await kafka.drain(spool);
    expect(kafka.log.length).toBe(10);
    expect(files(folder).length).toBe(1);
    spool.close();
    open(folder).close();
    expect(readdirSync(folder)).toEqual(['instance', files(folder)[0]].filter((name) => name !== undefined).sort());
  });

  it('refuses a folder that a living process holds, and takes over that of a dead one', () => {
    const folder = newFolder();
    // Process 1 lives on every system; its start time is read the same way as ours.
    const stat = readFileSync('/proc/1/stat', 'utf8');
    writeFileSync(join(folder, 'lock'), `1 ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`);
    expect(() => open(folder)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    writeFileSync(join(folder, 'lock'), '1 12345678901');
    open(folder).close();
  });

  it('takes over the folder of a killed process that its parent has not looked after yet', async () => {
    const folder = newFolder();
    // The shell becomes `sleep`, which never asks for its children; only then is the child ended, or the shell would ask.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const pid = await new Promise<string>((resolve) => parent.stdout.once('data', (bytes: Buffer) => resolve(bytes.toString().trim())));
      const fields = () => {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      };
      await eventually('the shell has become sleep', () => readFileSync(`/proc/${parent.pid ?? 0}/comm`, 'utf8').trim() === 'sleep');
      process.kill(Number(pid), 'SIGKILL');
      await eventually('the child is a zombie', () => fields()[0] === 'Z');
      writeFileSync(join(folder, 'lock'), `${pid} ${fields()[19] ?? ''}`);
      open(folder).close();
    } finally {
      parent.kill('SIGKILL');
    }
  });

  it('over any history of appends, deaths and half-done publishing, Kafka gets every record once and in order', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant('publish' as const), settle: fc.boolean() }),
      fc.record({ kind: fc.constant('die' as const), tornBytes: fc.integer({ min: 0, max: 30 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const folder = newFolder();
        const kafka = new Kafka();
        let nowMs = 1_000;
        const appended: string[] = [];
        const reopen = () => open(folder, { segmentBytes: 800, nowMs: () => (nowMs += 1) });
        let spool = reopen();
        await spool.recover(kafka.published);
        for (const taken of steps) {
          if (taken.kind === 'append') {
            const texts = Array.from({ length: taken.count }, (_, index) => `record ${appended.length + index}`);
            expect(spool.append(texts)).toBe(true);
            appended.push(...texts);
          } else if (taken.kind === 'publish') {
            await kafka.publishOne(spool, taken.settle);
            if (!taken.settle) await spool.recover(kafka.published);
          } else {
            spool.close();
            const newest = files(folder).at(-1);
            // A torn write is bytes that belong to no record that was answered.
            if (newest !== undefined) writeFileSync(join(folder, newest), Buffer.alloc(taken.tornBytes, 7), { flag: 'a' });
            spool = reopen();
            await spool.recover(kafka.published);
          }
        }
        await kafka.drain(spool);
        expect(kafka.log).toEqual(appended);
        spool.close();
      }),
      { numRuns: 60 },
    );
  });

  it('tells how many bytes a dead process left half written', () => {
    const folder = newFolder();
    const spool = open(folder);
    spool.append(['good']);
    spool.close();
    const path = join(folder, files(folder)[0] ?? '');
    truncateSync(path, statSync(path).size + 5);
    const again = open(folder);
    expect(again.tornBytes).toBe(5);
    again.close();
  });
});
