// Goal: both loops count every request once and tell its latency from the right instant; the open loop keeps its schedule
// when the server stalls, so that the stall shows in the latencies of all requests that were due meanwhile.
// Method: real servers on the loopback whose behaviour is known: one that answers at once, one that stands still for a
// while, one that refuses, one that hangs up.
import { afterEach, describe, expect, it } from '@jest/globals';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { runClosedLoop } from './closed-loop.js';
import { windowOf } from './drive.js';
import type { LoadJob } from './job.js';
import { runOpenLoop } from './open-loop.js';
import { requestBytes } from './request-bytes.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function jobFor(listener: RequestListener, further: Partial<LoadJob> = {}): Promise<LoadJob> {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port, requests: [requestBytes({ path: '/', body: '{}' })], pace: { kind: 'closed' }, connections: 4, warmUpMs: 100, windowMs: 500, ...further };
}

const answer: RequestListener = (_request, response) => void response.writeHead(200, { 'content-length': 2 }).end('ok');

describe('closed loop', () => {
  it('counts answers of its window by status', async () => {
    let asked = 0;
    const alternately: RequestListener = (request, response) => {
      asked += 1;
      if (asked % 2 === 0) answer(request, response);
      else response.writeHead(503, { 'content-length': 0, 'retry-after': '1' }).end();
    };
    const window = windowOf(await runClosedLoop(await jobFor(alternately)));
    expect(Object.keys(window.statuses).sort()).toEqual(['200', '503']);
    expect(window.latency.count).toBe(window.statuses['200']);
    expect(window.refused.count).toBe(window.statuses['503']);
    expect(window.refusedWithoutRetryAfter).toBe(0);
    expect(window.lost).toEqual({});
  });

  it('tells of connections that the server gave up', async () => {
    const window = windowOf(await runClosedLoop(await jobFor((request) => request.socket.destroy())));
    expect(Object.values(window.lost).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
    expect(window.statuses).toEqual({});
  });
});

describe('open loop', () => {
  it('sends exactly what was due in its window', async () => {
    const job = await jobFor(answer);
    const window = windowOf(await runOpenLoop(job, 400));
    // 0.5 s at 400/s; the window’s edges may fall on a due instant.
    expect(Math.abs(window.latency.count - 200)).toBeLessThanOrEqual(1);
  });

  it('charges a stall to every request that was due while it lasted', async () => {
    const stallMs = 300;
    let stalled = false;
    const startMs = performance.now();
    const job = await jobFor((request, response) => {
      if (!stalled && performance.now() - startMs > 300) {
        stalled = true;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
      }
      answer(request, response);
    }, { windowMs: 600 });
    const window = windowOf(await runOpenLoop(job, 200));
    // Half of the window’s 120 requests were due in the stall; with omission, only the four on the way would have waited.
    expect(window.latency.p90Ms).toBeGreaterThan(stallMs / 3);
    expect(window.latency.maxMs).toBeGreaterThanOrEqual(stallMs * 0.9);
    expect(Math.abs(window.latency.count - 120)).toBeLessThanOrEqual(1);
  });
});
