// Goal: who talks to the lane cannot tell it from node:http, whatever bytes come and however they are cut; and nobody holds
//   memory or a connection for ever.
// Method: the same bytes, over real sockets, to a server with the lane and to one without; what comes back must be the same but
//   for the date. The expected answers are node:http’s.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { eventually } from '@millrace/testing';
import { bodyBytesMax, heldHandler, jsonAnswer, TrialServer } from '../raw-http.fixture.js';

let laned: TrialServer;
let bare: TrialServer;
beforeAll(async () => {
  laned = await TrialServer.start({ lane: true });
  bare = await TrialServer.start({ lane: false });
});
afterAll(async () => {
  await laned.stop();
  await bare.stop();
});

const withoutDate = (text: string): string => text.replaceAll(/\r\nDate: [^\r]+/gu, '\r\nDate: now');
const post = (headers: string, body = '', line = 'POST /v2/models/m/infer HTTP/1.1'): string => `${line}\r\n${headers === '' ? '' : headers.replaceAll('\n', '\r\n')}\r\n\r\n${body}`;
const plain = (body: string, further = ''): string => post(`Host: x\naccept: */*${further}\ncontent-length: ${body.length}\ncontent-type: application/json`, body);
/** The last of a connection: the server ends it. */
const last = 'GET /here HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';

async function same(pieces: readonly string[], around: { end?: boolean; before?: string } = {}): Promise<string> {
  const [ours, nodes] = await Promise.all([laned.exchange(pieces, around), bare.exchange(pieces, around)]);
  expect(withoutDate(ours)).toBe(withoutDate(nodes));
  return ours;
}

const few = 'Host: x\ncontent-length: 2';
/** By what is odd about them; each is sent before a plain GET on the same connection. */
const streams: Readonly<Record<string, string>> = {
  'nothing': plain('{"a":1}'),
  'an empty body': plain(''),
  'three at once': plain('one') + plain('second') + plain('3'),
  'a GET between': plain('one') + 'GET /here HTTP/1.1\r\nHost: x\r\n\r\n' + plain('two'),
  'a HEAD between': plain('one') + 'HEAD /here HTTP/1.1\r\nHost: x\r\n\r\n' + plain('two'),
  'another value behind the length': post(`${few}\naccept: a`, '{}') + post(`${few}\naccept: b`, '{}') + post(`${few}\naccept: longer`, '{}'),
  'another value before the length': post('Host: x\naccept: a\ncontent-length: 2', '{}') + post('Host: x\naccept: b\ncontent-length: 2', '{}') + post('Host: x\naccept: longer\ncontent-length: 2', '{}'),
  'another length': post('Host: x\ncontent-length: 2\naccept: a', '{}') + post('Host: x\ncontent-length: 12\naccept: a', 'twelve bytes') + post('Host: x\ncontent-length: 1\naccept: a', '1'),
  'less behind the length': post(`${few}\naccept: a`, '{}') + post(few, '{}') + post(`${few}\naccept: a`, '{}'),
  'another path': post(few, '{}', 'POST /v2/models/m/other HTTP/1.1'),
  'a query': post(few, '{}', 'POST /v2/models/m/infer?x=1 HTTP/1.1'),
  'an escape': post(few, '{}', 'POST /v2/models/%6d/infer HTTP/1.1'),
  'a broken escape': post(few, '{}', 'POST /v2/models/%zz/infer HTTP/1.1'),
  'a name of 101 letters': post(few, '{}', `POST /v2/models/${'m'.repeat(101)}/infer HTTP/1.1`),
  'an absolute target': post(few, '{}', 'POST http://x/v2/models/m/infer HTTP/1.1'),
  'two blanks in the request line': post(few, '{}', 'POST  /v2/models/m/infer HTTP/1.1'),
  'a tab in the request line': post(few, '{}', 'POST\t/v2/models/m/infer HTTP/1.1'),
  'a method in small letters': post(few, '{}', 'post /v2/models/m/infer HTTP/1.1'),
  'PUT': post(few, '{}', 'PUT /v2/models/m/infer HTTP/1.1'),
  'HTTP/1.0': post(few, '{}', 'POST /v2/models/m/infer HTTP/1.0'),
  'HTTP/1.0 that stays': post(`${few}\nConnection: keep-alive`, '{}', 'POST /v2/models/m/infer HTTP/1.0'),
  'HTTP/1.2': post(few, '{}', 'POST /v2/models/m/infer HTTP/1.2'),
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'TLS': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'an empty line before': `\r\n${plain('{}')}`,
  'names in capitals': post('HOST: x\nACCEPT: A\nCONTENT-LENGTH: 2', '{}'),
  'names in small letters': post('host: x\naccept: a\ncontent-length: 2', '{}'),
  'no blank after the colon': post('Host:x\naccept:a\ncontent-length:2', '{}'),
  'an empty value': post('Host:\naccept:\ncontent-length: 2', '{}'),
  'blanks around a value': post('Host: x\naccept:  \t a \t \ncontent-length: 2', '{}'),
  'blanks around the length': post('Host: x\ncontent-length:  2 ', '{}'),
  'a blank before the colon': post('Host: x\naccept : a\ncontent-length: 2', '{}'),
  'a blank before the name': post('Host: x\n accept: a\ncontent-length: 2', '{}'),
  'a folded value': post('Host: x\naccept: a\n b\ncontent-length: 2', '{}'),
  'a line without a colon': post('Host: x\naccept\ncontent-length: 2', '{}'),
  'a line without a name': post('Host: x\n: a\ncontent-length: 2', '{}'),
  'a name with brackets': post('Host: x\na(b): a\ncontent-length: 2', '{}'),
  'a name beyond ASCII': post('Host: x\n\xe9: a\ncontent-length: 2', '{}'),
  'a value beyond ASCII': post('Host: x\naccept: \xe9\ncontent-length: 2', '{}'),
  'a NUL in a value': post('Host: x\naccept: a\0b\ncontent-length: 2', '{}'),
  'a lone CR in a value': post('Host: x\naccept: a\rb\ncontent-length: 2', '{}'),
  'a lone LF between lines': 'POST /v2/models/m/infer HTTP/1.1\r\nHost: x\naccept: a\r\ncontent-length: 2\r\n\r\n{}',
  'LF alone': 'POST /v2/models/m/infer HTTP/1.1\nHost: x\ncontent-length: 2\n\n{}',
  'LF at the end of the head': 'POST /v2/models/m/infer HTTP/1.1\r\nHost: x\r\ncontent-length: 2\r\n\n{}',
  'no length': post('Host: x'),
  'no length, and a body': post('Host: x', '{}'),
  'two lengths, alike': post('Host: x\ncontent-length: 2\ncontent-length: 2', '{}'),
  'two lengths, unlike': post('Host: x\ncontent-length: 2\nContent-Length: 3', '{}'),
  'a list of lengths': post('Host: x\ncontent-length: 2, 2', '{}'),
  'a length with a sign': post('Host: x\ncontent-length: +2', '{}'),
  'a negative length': post('Host: x\ncontent-length: -2', '{}'),
  'a hexadecimal length': post('Host: x\ncontent-length: 0x2', '{}'),
  'a length with zeros': post('Host: x\ncontent-length: 0002', '{}'),
  'a length with many zeros': post(`Host: x\ncontent-length: ${'0'.repeat(20)}2`, '{}'),
  'an empty length': post('Host: x\ncontent-length:', '{}'),
  'a length beyond all numbers': post('Host: x\ncontent-length: 99999999999999999999999', '{}'),
  'a body at the limit': plain('x'.repeat(bodyBytesMax)),
  'a body beyond the limit': plain('x'.repeat(bodyBytesMax + 1)),
  'chunks': post('Host: x\ntransfer-encoding: chunked', '2\r\n{}\r\n0\r\n\r\n'),
  'chunks and a length': post('Host: x\ncontent-length: 2\ntransfer-encoding: chunked', '2\r\n{}\r\n0\r\n\r\n'),
  'a length and chunks': post('Host: x\ntransfer-encoding: chunked\ncontent-length: 2', '2\r\n{}\r\n0\r\n\r\n'),
  'a misspelt coding': post('Host: x\ncontent-length: 2\ntransfer-encoding: xchunked', '{}'),
  'Expect': post(`${few}\nExpect: 100-continue`, '{}'),
  'Expect of something else': post(`${few}\nExpect: a miracle`, '{}'),
  'Upgrade': post(`${few}\nConnection: Upgrade\nUpgrade: websocket`, '{}'),
  'Upgrade without Connection': post(`${few}\nUpgrade: h2c`, '{}'),
  'trailers': post(`${few}\nTE: trailers\nTrailer: x`, '{}'),
  'Connection: Keep-Alive': post(`${few}\nConnection: Keep-Alive`, '{}'),
  'Connection: close': post(`${few}\nConnection: close`, '{}'),
  'Connection: CLOSE': post(`${few}\nConnection: CLOSE`, '{}'),
  'Connection with a list': post(`${few}\nConnection: keep-alive, close`, '{}'),
  'Connection twice': post(`${few}\nConnection: keep-alive\nConnection: close`, '{}'),
  'Proxy-Connection': post(`${few}\nProxy-Connection: close`, '{}'),
  'no host': post('content-length: 2', '{}'),
  'two hosts': post(`${few}\nHost: y`, '{}'),
  'a name twice': post(`${few}\naccept: a\naccept: b`, '{}'),
  'names of the language': post(`${few}\n__proto__: a\nconstructor: b\ntoString: c`, '{}'),
  'a head of 8 KiB': post(`${few}\nx: ${'x'.repeat(8_100)}`, '{}'),
  'a head that is too long': post(`${few}\nx: ${'x'.repeat(20_000)}`, '{}'),
  'many lines': post(`${few}${Array.from({ length: 300 }, (_, index) => `\nx${index}: y`).join('')}`, '{}'),
};

describe('the lane answers as node:http does', () => {
  it.each(Object.entries(streams))('when there is %s', async (_odd, bytes) => {
    await same([bytes + last]);
    await same([bytes + last], { before: plain('before') });
  });

  it('wherever a request is cut', async () => {
    const bytes = plain('{"a":1}');
    const answers = await Promise.all(Array.from({ length: bytes.length }, (_, cut) => same([bytes.slice(0, cut), bytes.slice(cut) + last])));
    for (const answer of answers) expect(answer).toContain('{"accept":"*/*","bytes":7,');
  });

  it('when the body comes by itself, and the lengths of bodies differ from one to the next', async () => {
    const pieces = ['a', 'bcd', '', 'x'.repeat(1_500), 'e'].flatMap((body) => [plain(body).slice(0, plain(body).length - body.length), body].filter((piece) => piece !== ''));
    expect((await same([...pieces, last])).match(/HTTP\/1\.1 200/gu)).toHaveLength(6);
  });

  it('for any mix of streams, cut anywhere', async () => {
    // Streams after which node:http closes at once race with what is sent behind them; they were looked at alone.
    const mixed = ['nothing', 'an empty body', 'three at once', 'a GET between', 'a query', 'names in capitals', 'blanks around the length', 'no length', 'chunks', 'Connection: Keep-Alive', 'a name twice', 'an empty line before'].map((name) => streams[name] ?? '');
    const cuts = fc.array(fc.nat(2_000), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...mixed), { minLength: 1, maxLength: 5 }), cuts, async (parts, at) => {
        const whole = parts.join('') + last;
        const places = [...new Set([0, ...at.map((cut) => cut % whole.length), whole.length])].sort((a, b) => a - b);
        await same(places.slice(1).map((to, index) => whole.slice(places[index], to)));
      }),
      { numRuns: 150 },
    );
  }, 300_000);

  it.each([['nothing', ''], ['half a head', plain('{}').slice(0, 30)], ['half a body', plain('{"a":1}').slice(0, -3)], ['a request, and half a body', plain('a') + plain('{"a":1}').slice(0, -3)]])('when a client ends its side after %s', async (_what, bytes) => {
    await same([bytes], { end: true });
    await same([bytes], { end: true, before: plain('before') });
  });
});

describe('time', () => {
  const short = { requestTimeout: 400, http: { headersTimeout: 400, connectionsCheckingInterval: 50 } };

  it.each([['half a body', plain('{"a":1}').slice(0, -3), '408'], ['half a head', plain('{}').slice(0, 30), '408'], ['nothing', '', '408'], ['a request', plain('{}'), '200']])('who sends %s and then nothing is not waited for for ever', async (_what, bytes, status) => {
    const trial = await TrialServer.start({ lane: true, options: short });
    const answer = await trial.exchange([bytes]);
    await trial.stop();
    expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
  });
});

describe('one request at a time', () => {
  it('what a client sends ahead waits with its socket, and is answered in order', async () => {
    const { handler, held } = heldHandler();
    const trial = await TrialServer.start({ lane: true, handler });
    const client = await trial.open();
    const ahead = Array.from({ length: 3_000 }, () => plain('x'.repeat(1_900))).join('');
    client.socket.write(plain('first'));
    await eventually('the first is asked', () => held.length === 1);
    client.socket.write(ahead, 'latin1');
    await eventually('the socket waits', () => client.there.isPaused());
    // 64 KiB are one piece of a socket; another may have been on its way, and as much waits in the stream.
    expect(client.there.bytesRead).toBeLessThan(4 * 65_536);
    expect(held).toHaveLength(1);
    for (let next = 0; next <= 3_000; next += 1) {
      while (held.length === next) await new Promise((resolve) => setImmediate(resolve));
      held[next]?.(jsonAnswer({ next }));
    }
    await eventually('all are answered', () => client.text.endsWith('{"next":3000}'));
    expect([...client.text.matchAll(/\{"next":(\d+)\}/gu)].map(([, next]) => Number(next))).toEqual(Array.from({ length: 3_001 }, (_, index) => index));
    await trial.stop();
  });

  it('a client that does not read is asked for no more, and loses nothing when it reads again', async () => {
    let asked = 0;
    const large = Buffer.alloc(400_000, 'a');
    const trial = await TrialServer.start({ lane: true, options: { keepAliveTimeout: 60_000 }, handler: () => Promise.resolve({ status: 200, contentType: 'text/plain', body: Buffer.concat([Buffer.from(`<${(asked += 1)}>`), large]) }) });
    const client = await trial.open();
    client.socket.pause();
    client.socket.write(Array.from({ length: 100 }, () => plain('x')).join(''));
    await eventually('its answers pile up', () => client.there.writableLength > 0);
    const before = asked;
    await new Promise((resolve) => setImmediate(resolve));
    expect([asked < 100, client.there.writableLength <= 2 * large.length]).toEqual([true, true]);
    expect(asked - before).toBeLessThan(20);
    client.socket.resume();
    await eventually('all are answered', () => client.text.includes('<100>'));
    expect([...client.text.matchAll(/<(\d+)>/gu)].map(([, number]) => Number(number))).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    await trial.stop();
  });

  it('a client that leaves before its answer, and a handler that fails, harm nobody else', async () => {
    const { handler, held } = heldHandler();
    const trial = await TrialServer.start({ lane: true, handler: (headers, body) => (body.toString() === 'fail' ? Promise.reject(new Error('as told')) : handler(headers, body)) });
    const leaving = await trial.open();
    leaving.socket.write(plain('{}'));
    await eventually('it is asked', () => held.length === 1);
    leaving.socket.resetAndDestroy();
    await eventually('it is gone', () => leaving.there.destroyed);
    held[0]?.(jsonAnswer({}));
    expect(await trial.exchange([plain('fail')])).toBe('');
    expect(trial.failures).toEqual([new Error('as told')]);
    const staying = await trial.open();
    staying.socket.write(plain('{}'));
    await eventually('it is asked', () => held.length === 2);
    held[1]?.(jsonAnswer({ still: 'here' }));
    await eventually('it is answered', () => staying.text.endsWith('{"still":"here"}'));
    await trial.stop();
  });

  it('a client that has ended its side gets the answer to what it asked before', async () => {
    const { handler, held } = heldHandler();
    const trial = await TrialServer.start({ lane: true, handler });
    const answer = trial.exchange([plain('{}') + plain('{}')], { end: true });
    for (const next of [0, 1]) {
      await eventually('it is asked', () => held.length === next + 1);
      held[next]?.(jsonAnswer({ next }));
    }
    expect(await answer).toMatch(/\{"next":0\}[^]*\r\nConnection: close\r\n[^]*\{"next":1\}$/iu);
    await trial.stop();
  });
});
