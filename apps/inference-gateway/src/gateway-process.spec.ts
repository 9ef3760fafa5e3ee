/** @jest-environment ./libs/platform/model-runtime/jest-environment.mjs */
// Goal: nothing that was answered goes unaccounted for, whatever becomes of the process: accepted = answered + failed + shed, and
//   answered = logged + counted as dropped. A process that is told to stop resets no connection and loses no answer. Records of a
//   stream are answered exactly once.
// Method: the built service in a process of its own with the real Kafka, under load of keep-alive clients that keep books of
//   every request; killed or told to stop in the middle of it. Records in Kafka are held against the books by their ids, and
//   against each other by the numbers that each run of the process gives them.
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { Agent, request } from 'node:http';
import { predictionFailed, predictionServed, recordAdmitted, routeChanged, specChanged, type RecordAdmitted, type RouteChanged, type RouteTarget } from '@millrace/contracts';
import { planRoute } from '@millrace/core/inference';
import { createRingTopics, KafkaDriver, Messaging } from '@millrace/messaging';
import { brittleModel } from '@millrace/model-runtime/testing';
import { eventually, requiredFromEnvironment } from '@millrace/testing';
import { Ring, signature, spec } from './gateway.fixture.js';
import { startGatewayProcess, tail } from './gateway-process.fixture.js';

let driver: KafkaDriver;
let ring: Ring;
let name: string;
beforeAll(async () => {
  driver = new KafkaDriver({ brokers: requiredFromEnvironment('KAFKA_BROKERS').split(','), clientId: 'spec' });
  await createRingTopics(driver, 2);
});
afterAll(() => driver.close());
beforeEach(async () => {
  ring = await Ring.open();
  name = `booked-${randomUUID().slice(0, 8)}`;
});
afterEach(async () => {
  const producer = await driver.producer();
  await producer.send([specChanged.type, routeChanged.type].map((topic) => ({ topic, key: name, headers: {}, value: null })));
  ring.close();
});

/** A model that really fails where distance is 5, and takes few rows at a time. */
async function announce(champion: RouteTarget): Promise<void> {
  const messaging = new Messaging({ service: 'spec', driver, now: () => new Date(), log: { warn: () => undefined } });
  const limited = { ...spec, metadata: { ...spec.metadata, name }, spec: { ...spec.spec, serving: { ...spec.spec.serving, limits: { queuedRowsMax: 12 } } } };
  const changedAt = '2013-01-01T00:00:00Z';
  await (await driver.producer()).send([
    messaging.encode(specChanged, { model: name, revision: 1, sha256: '0'.repeat(64), spec: limited, changedAt }, { key: name }),
    messaging.encode(routeChanged, { model: name, revision: 1, rolloutId: null, phase: 'full', salt: name, champion, candidate: null, reason: 'spec', changedAt, streamTime: null }, { key: name }),
  ]);
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** The server has asked to come back elsewhere. */
  readonly isLast: boolean;
}

function post(agent: Agent, url: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (answer) => {
      let text = '';
      answer.on('data', (piece: Buffer) => (text += String(piece)));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text, isLast: answer.headers.connection === 'close' }));
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** Every request ends in one of these. `cut`: the connection went before an answer came. */
class Books {
  readonly answered: string[] = [];
  failed = 0;
  shed = 0;
  cut = 0;
  refusedConnections = 0;
  odd: string[] = [];
  accepted = 0;

  enter({ status, body }: Answer): void {
    const parsed = JSON.parse(body) as { code?: string; predictions?: { predictionId: string }[] };
    if (status === 200) this.answered.push(...(parsed.predictions ?? []).map(({ predictionId }) => predictionId));
    else if (parsed.code === 'MODEL_RUN_FAILED') this.failed += 1;
    else if (parsed.code === 'MODEL_OVERLOADED') this.shed += 1;
    else this.odd.push(`${status} ${body}`);
  }
}

/** Clients that ask one after the other until told to stop; each on a connection of its own. */
function load(books: Books, urls: () => readonly string[], clients: number): { stop(): Promise<void> } {
  let stopped = false;
  let asked = 0;
  const client = async (): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let at = 0;
    while (!stopped) {
      const features = { distance: (asked += 1) % 20 === 0 ? 5 : 0, carrier: 'AA' };
      const url = urls()[at % urls().length] ?? '';
      try {
        books.accepted += 1;
        const answer = await post(agent, `${url}/v1/models/${name}/predict`, JSON.stringify({ instances: [{ id: `q${asked}`, features }] }));
        books.enter(answer);
        if (answer.isLast) at += 1;
      } catch (error) {
        const refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
        if (refused) books.refusedConnections += 1;
        else books.cut += 1;
        at += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    agent.destroy();
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return { stop: async () => void ((stopped = true), await all) };
}

/** Numbers that a run has given and that are not in the log, and those that are there twice. */
function gaps(sequences: readonly string[]): { missing: number; repeated: number } {
  const runs = new Map<string, number[]>();
  for (const sequence of sequences) {
    const [run = '', number = ''] = sequence.split('/');
    runs.set(run, [...(runs.get(run) ?? []), Number(number)]);
  }
  let [missing, repeated] = [0, 0];
  for (const numbers of runs.values()) {
    const own = new Set(numbers);
    repeated += numbers.length - own.size;
    missing += Math.max(...numbers) - own.size;
  }
  return { missing, repeated };
}

describe('kill -9', () => {
  it('every answer is in the log once, and the numbers of each run have no gap', async () => {
    await announce({ version: 'v1', artifact: await ring.storage.artifacts.put(brittleModel()), signature });
    const [served, failed] = [await tail(driver, predictionServed, name), await tail(driver, predictionFailed, name)];
    const books = new Books();
    let running = await startGatewayProcess(ring.folder);
    const clients = load(books, () => [running.url], 24);
    for (let kill = 1; kill <= 3; kill += 1) {
      const before = books.answered.length;
      await eventually('it answers', () => books.answered.length > before + 500);
      await running.stop('SIGKILL');
      running = await startGatewayProcess(ring.folder);
    }
    const before = books.answered.length;
    await eventually('the last one answers', () => books.answered.length > before + 500);
    await clients.stop();
    expect(await running.stop('SIGTERM')).toBe(0);
    const logged = (): Set<string> => new Set(served.seen.map(({ data }) => data.predictionId));
    await eventually('every answer is in the log', () => {
      const ids = logged();
      return books.answered.every((id) => ids.has(id));
    });
    await Promise.all([served.stop(), failed.stop()]);
    expect(books.odd).toEqual([]);
    expect(books.accepted).toBe(books.answered.length + books.failed + books.shed + books.cut + books.refusedConnections);
    expect([books.failed > 0, books.shed > 0, books.cut > 0]).toEqual([true, true, true]);
    expect(served.seen).toHaveLength(logged().size);
    // What was logged and not answered was on its way when its process was killed.
    expect(served.seen.length - books.answered.length).toBeLessThanOrEqual(books.cut);
    expect(failed.seen.length - books.failed).toBeGreaterThanOrEqual(0);
    expect(failed.seen.length - books.failed).toBeLessThanOrEqual(books.cut);
    const sequences = [...served.seen, ...failed.seen].map(({ headers }) => headers['ce_sequence'] ?? '');
    expect(new Set(sequences.map((sequence) => sequence.split('/')[0])).size).toBe(4);
    expect(gaps(sequences)).toEqual({ missing: 0, repeated: 0 });
  });
});

describe('SIGTERM', () => {
  it('under keep-alive load resets no connection and loses no answer; the other replica takes over', async () => {
    await announce({ version: 'v1', artifact: await ring.storage.artifacts.put(brittleModel()), signature });
    const served = await tail(driver, predictionServed, name);
    const books = new Books();
    const settings = (replica: string) => ({ SPOOL_FOLDER: `${ring.folder}/spool-${replica}`, DRAIN_MS: '500' });
    const replicas = [await startGatewayProcess(ring.folder, settings('a')), await startGatewayProcess(ring.folder, settings('b'))];
    const clients = load(books, () => replicas.map(({ url }) => url), 16);
    for (let restart = 0; restart < 4; restart += 1) {
      const before = books.answered.length;
      await eventually('both are in use', () => books.answered.length > before + 300);
      const leaving = replicas[restart % 2];
      const letter = restart % 2 === 0 ? 'a' : 'b';
      expect(await leaving?.stop('SIGTERM')).toBe(0);
      replicas[restart % 2] = await startGatewayProcess(ring.folder, settings(letter));
    }
    await clients.stop();
    for (const replica of replicas) expect(await replica.stop('SIGTERM')).toBe(0);
    await eventually('every answer is in the log', () => {
      const ids = new Set(served.seen.map(({ data }) => data.predictionId));
      return books.answered.every((id) => ids.has(id));
    });
    await served.stop();
    expect({ odd: books.odd, cut: books.cut }).toEqual({ odd: [], cut: 0 });
    expect(gaps(served.seen.map(({ headers }) => headers['ce_sequence'] ?? '')).repeated).toBe(0);
  });
});

describe('what is no request', () => {
  /** Writes bytes, and answers what came until the server closed. */
  const raw = (url: string, bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(url);
      const socket = connect(Number(port), hostname, () => socket.write(bytes));
      let text = '';
      socket.on('data', (piece) => (text += String(piece)));
      socket.on('end', () => (resolve(text), socket.destroy()));
      socket.on('error', reject);
    });
  const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

  it('is refused in the shape of every other refusal', async () => {
    await announce({ version: 'v1', artifact: await ring.storage.artifacts.put(brittleModel()), signature });
    const running = await startGatewayProcess(ring.folder, { BODY_LIMIT_MB: '1' });
    const head = 'Host: x\r\nConnection: close\r\n';
    const [badUrl, badV2Url, badHeader, longHeader] = await Promise.all([
      raw(running.url, `GET /v1/models/%zz HTTP/1.1\r\n${head}\r\n`),
      raw(running.url, `GET /v2/models/%zz HTTP/1.1\r\n${head}\r\n`),
      raw(running.url, `GET / HTTP/1.1\r\n${head}: nameless\r\n\r\n`),
      raw(running.url, `GET / HTTP/1.1\r\n${head}x: ${'x'.repeat(20_000)}\r\n\r\n`),
    ]);
    expect(badUrl).toMatch(/^HTTP\/1\.1 400 [^]*content-type: application\/json\r\n/iu);
    expect(bodyOf(badUrl)).toEqual({ error: expect.any(String), code: 'REQUEST_INVALID' });
    expect(bodyOf(badV2Url)).toEqual({ error: expect.any(String) });
    expect([badHeader.slice(0, 12), bodyOf(badHeader)]).toEqual(['HTTP/1.1 400', { error: expect.stringContaining('no HTTP that can be read'), code: 'REQUEST_INVALID' }]);
    expect([longHeader.slice(0, 12), bodyOf(longHeader)]).toEqual(['HTTP/1.1 431', { error: expect.any(String), code: 'REQUEST_INVALID' }]);
    const large = await fetch(`${running.url}/v2/models/${name}/infer`, { method: 'POST', body: 'x'.repeat(1_100_000) });
    expect([large.status, await large.json()]).toEqual([413, { error: expect.any(String) }]);
    const odd = await fetch(`${running.url}/v1/models/${name}/predict`, { method: 'POST', body: '{"instances":[{"features":{"distance":0,"carrier":"AA"}}]}', headers: { 'content-type': 'nonsense' } });
    expect([odd.status, Object.keys((await odd.json()) as object)]).toEqual([200, ['model', 'predictions']]);
    expect(await running.stop('SIGTERM')).toBe(0);
  });
});

const admittedFlight = (recordId: string, stream: string): RecordAdmitted => ({
  stream, kind: 'record', recordId, contractVersion: '1', eventTime: '2013-01-01T00:00:00Z', value: { distance: 1.5, carrier: 'AA' }, origin: { via: 'kafka', topic: stream, partition: 0, offset: 0 }, replay: null,
});

describe('scoring a stream', () => {
  it('a process that is killed in the middle of its work loses no record and answers none twice', async () => {
    const messaging = new Messaging({ service: 'spec', driver, now: () => new Date(), log: { warn: () => undefined } });
    const producer = await driver.producer();
    const target = (version: string, intercept: number): Promise<RouteTarget> => ring.target(version, intercept);
    const route: RouteChanged = { model: name, revision: 1, rolloutId: null, phase: 'canary', salt: name, champion: await target('v1', 0), candidate: { ...(await target('v2', 1)), share: 0.3, mirror: false }, reason: 'spec', changedAt: '2013-01-01T00:00:00Z', streamTime: null };
    const asked = { ...spec, metadata: { ...spec.metadata, name }, spec: { ...spec.spec, stream: name, serving: { batching: {}, limits: {}, stream: true, explanations: { share: 0 } } } };
    await producer.send([
      messaging.encode(specChanged, { model: name, revision: 1, sha256: '0'.repeat(64), spec: asked, changedAt: '2013-01-01T00:00:00Z' }, { key: name }),
      messaging.encode(routeChanged, route, { key: name }),
    ]);
    const { seen, stop } = await tail(driver, predictionServed, name);
    const ids = (): Set<string> => new Set(seen.map(({ data }) => data.recordId));
    let admitted = 0;
    const admitMore = async (count: number): Promise<void> => {
      const more = Array.from({ length: count }, () => admittedFlight(`r${(admitted += 1)}`, name));
      await producer.send(more.map((each) => messaging.encode(recordAdmitted, each, { key: each.recordId })));
    };
    let running = await startGatewayProcess(ring.folder);
    try {
      for (let kill = 1; kill <= 3; kill += 1) {
        const before = seen.length;
        const feeding = (async () => {
          for (let part = 0; part < 20; part += 1) await admitMore(200);
        })();
        await eventually('it is in the middle of its work', () => seen.length > before);
        await running.stop('SIGKILL');
        await feeding;
        running = await startGatewayProcess(ring.folder);
      }
      await eventually(`all of ${admitted} are answered`, () => ids().size === admitted);
    } finally {
      await running.stop('SIGTERM');
      await stop();
    }
    expect(seen).toHaveLength(admitted);
    expect(ids().size).toBe(admitted);
    expect(seen.filter(({ data: { recordId, arm } }) => planRoute(route, recordId).arm !== arm)).toEqual([]);
  });
});
