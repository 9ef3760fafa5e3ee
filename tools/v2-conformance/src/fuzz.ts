import { parseArgs } from 'node:util';
import { fuzzBodies, type FuzzBody } from './fuzz-bodies.js';
import { fuzzCodec, type FuzzCounts } from './fuzz-codec.js';
import { identityOf } from './models.js';
import { HttpExchange } from './http-exchange.js';
import { expectAlive, expectRefusal, Server } from './server.js';

const help = `Sends what nobody should: no answer may be a crash, a hang or a 5xx other than 503, and every refusal has the protocol's shape.

  npm run fuzz -- --count 1000000                                     against the codec
  npm run fuzz -- --count 20000 --url http://127.0.0.1:8080           against a server with the suite's models

  --seed <n>   default 1; printed with every failure`;

/** For bodies that were made for no model. */
const models = ['simple_batch', 'simple_string', 'identity_line', 'row_max', 'no_such_model'];
const modelFor = ({ aim }: FuzzBody, index: number): string => (aim === null || index % 10 === 0 ? (models[(index / 10) % models.length] ?? 'row_max') : identityOf(aim));
const inFlight = 16;

const describeBody = ({ body, headerLength }: FuzzBody): string => `${headerLength === undefined ? '' : `Inference-Header-Content-Length: ${headerLength}, `}base64 ${Buffer.from(body).toString('base64')}`;

function fuzzTheCodec(seed: number, count: number): FuzzCounts {
  const counts: FuzzCounts = { accepted: 0, refused: 0 };
  let index = 0;
  for (const each of fuzzBodies(seed, count)) {
    try {
      fuzzCodec(each, counts);
    } catch (cause) {
      throw new Error(`seed ${seed}, body ${index}: ${cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)}\n${describeBody(each)}`, { cause });
    }
    index += 1;
  }
  return counts;
}

async function askOne(server: Server, each: FuzzBody, model: string, counts: FuzzCounts): Promise<void> {
  const headers = each.headerLength === undefined ? {} : { 'inference-header-content-length': String(each.headerLength) };
  const reply = await server.ask({ method: 'POST', path: `/v2/models/${model}/infer`, headers, body: each.body });
  if (reply.status === 200) counts.accepted += 1;
  else {
    expectRefusal(reply, reply.status === 503 ? [503] : []);
    counts.refused += 1;
  }
}

async function fuzzServer(url: string, seed: number, count: number): Promise<FuzzCounts> {
  const exchange = new HttpExchange(url.replace(/\/+$/u, ''));
  const server = new Server(exchange, new Set());
  const counts: FuzzCounts = { accepted: 0, refused: 0 };
  const bodies = fuzzBodies(seed, count, true);
  let index = 0;
  const worker = async (): Promise<void> => {
    for (let next = bodies.next(); next.done !== true; next = bodies.next()) {
      const each = next.value;
      const at = index;
      index += 1;
      await askOne(server, each, modelFor(each, at), counts).catch((cause: unknown) => {
        throw new Error(`seed ${seed}, body ${at}: ${cause instanceof Error ? cause.message : String(cause)}\n${describeBody(each)}`, { cause });
      });
    }
  };
  try {
    await Promise.all(Array.from({ length: inFlight }, worker));
    await expectAlive(server);
  } finally {
    exchange.close();
  }
  return counts;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { count: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' }, url: { type: 'string' }, help: { type: 'boolean', default: false } } });
  if (values.help) {
    process.stdout.write(`${help}\n`);
    return;
  }
  const [seed, count] = [Number(values.seed), Number(values.count)];
  const started = performance.now();
  const { accepted, refused } = values.url === undefined ? fuzzTheCodec(seed, count) : await fuzzServer(values.url, seed, count);
  process.stdout.write(`${count} bodies of seed ${seed} in ${((performance.now() - started) / 1_000).toFixed(1)} s: ${accepted} accepted, ${refused} refused, nothing else\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
