// Goal: a server that drains answers everything that was asked, on either lane, tells those who ask to come back elsewhere,
//   and holds no connection for ever.
// Method: real sockets in every state a connection can be in when the drain begins; what RFC 9112 §9.6 promises to a client that
//   hears `connection: close`.
import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '@millrace/testing';
import { heldHandler, jsonAnswer, tell, TrialServer } from './raw-http.fixture.js';
import type { PlainHandler } from './plain-http/plain-connection.js';

let trial: TrialServer;
afterEach(() => trial.stop());

const graceMs = 1_000;
const request = 'POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\r\n{}';
const answered = /^HTTP\/1\.1 200 [^]*\{"accept"/u;

describe.each([['the lane', true], ['node:http', false]])('a drain, on %s', (_name, lane) => {
  const start = async (handler: PlainHandler = tell): Promise<void> => void (trial = await TrialServer.start({ lane, handler, options: { keepAliveTimeout: 60_000 } }));

  it('answers who comes while it lasts, with the word to go elsewhere, and ends the connection', async () => {
    await start();
    const known = await trial.open();
    await known.send(request);
    await eventually('it is answered', () => answered.test(known.text));
    expect(known.text).toMatch(/\r\nconnection: keep-alive\r\n/iu);
    const drained = trial.connections.drain(graceMs);
    const fresh = await trial.open();
    for (const connection of [known, fresh]) {
      connection.text = '';
      await connection.send(request);
      await eventually('it has its answer and its end', () => connection.over);
      expect(connection.text).toMatch(answered);
      expect(connection.text.match(/\r\nconnection: close\r\n/giu)).toHaveLength(1);
      connection.socket.end();
    }
    await drained;
    expect(trial.listening).toBe(false);
  });

  it('waits for who asked lately and has not heard it yet, longer than for who never asked', async () => {
    await start();
    const [known, never] = [await trial.open(), await trial.open()];
    await known.send(request);
    await eventually('it is answered', () => answered.test(known.text));
    const drained = trial.connections.drain(graceMs);
    await eventually('nobody new can come', () => !trial.listening);
    known.text = '';
    await known.send(request);
    await eventually('it has its answer and its end', () => known.over);
    expect(known.text).toMatch(/^HTTP\/1\.1 200 [^]*\r\nconnection: close\r\n/iu);
    known.socket.end();
    await eventually('who never asked has its end', () => never.over);
    expect(never.text).toBe('');
    never.socket.end();
    await drained;
  });

  it('gives the answers that were in the making, however long they take', async () => {
    const { handler, held } = heldHandler();
    await start(handler);
    const client = await trial.open();
    await client.send(request);
    await eventually('it is asked', () => held.length === 1);
    let over = false;
    const drained = trial.connections.drain(1).then(() => (over = true));
    await eventually('nobody new can come', () => !trial.listening);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([over, client.over]).toEqual([false, false]);
    held[0]?.(jsonAnswer({ late: true }));
    await eventually('it is answered', () => client.text.endsWith('{"late":true}'));
    client.socket.end();
    await drained;
  });

  it('answers what had come, and was not accepted or read yet, when the grace ended', async () => {
    await start();
    const known = await trial.open();
    const drained = trial.connections.drain(1);
    // Nothing is accepted or read while this loop holds the only thread: the grace passes, and requests and connections lie with the kernel.
    known.socket.write(request);
    const fresh = Array.from({ length: 20 }, () => trial.dial());
    for (const { socket } of fresh) socket.write(request);
    for (const until = performance.now() + 50; performance.now() < until; );
    for (const client of [known, ...fresh]) {
      await eventually('it has its answer and its end', () => client.over);
      expect(client.text).toMatch(answered);
      client.socket.end();
    }
    await drained;
  });

  it('cuts who does not go', async () => {
    await start();
    const client = await trial.open();
    await trial.connections.drain(1);
    expect(client.there.destroyed).toBe(true);
  });
});

it('a server has one lane', async () => {
  trial = await TrialServer.start({ lane: true });
  expect(() => trial.connections.answerPlain({ routes: () => undefined, bodyBytesMax: 1, failed: () => undefined })).toThrow('one lane');
});
