import { expectEqual, expectThat, Mismatch, shown } from './case.js';
import type { HttpExchange, Question, Reply } from './http-exchange.js';

export type Json = Readonly<Record<string, unknown>>;
export const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** A tensor of an answer: its members, and its elements as JSON or as bytes. */
export interface Output {
  readonly name: unknown;
  readonly datatype: unknown;
  readonly shape: unknown;
  readonly data: unknown;
  readonly bytes: Buffer | null;
}

export interface Answer {
  readonly reply: Reply;
  readonly message: Json;
  readonly outputs: readonly Output[];
}

/** Binary inputs behind a message. */
export interface Framed {
  readonly message: Json;
  readonly bytes?: Uint8Array;
  /** Spaces behind the JSON part, to move the bytes after it. */
  readonly padding?: number;
}

/** Questions in the protocol's terms, and the checks that every answer of a kind has to pass. */
export class Server {
  constructor(
    private readonly exchange: HttpExchange,
    /** As its metadata claims. */
    readonly extensions: ReadonlySet<string>,
  ) {}

  ask(question: Question): Promise<Reply> {
    return this.exchange.ask(question);
  }

  /** GET of a JSON object or list with status 200. */
  async read(path: string): Promise<unknown> {
    return jsonOf(await this.ask({ path }), 200);
  }

  /** POST of a message in JSON. */
  post(path: string, message: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.ask({ method: 'POST', path, headers, body: typeof message === 'string' ? message : JSON.stringify(message) });
  }

  inferReply(model: string, message: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return this.post(`/v2/models/${model}/infer`, message, headers);
  }

  async infer(model: string, message: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return answerOf(await this.inferReply(model, message, headers));
  }

  binaryReply(model: string, framed: Framed, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const { body, headerLength } = frame(framed);
    return this.ask({ method: 'POST', path: `/v2/models/${model}/infer`, headers: { 'inference-header-content-length': String(headerLength), ...headers }, body });
  }

  async inferBinary(model: string, framed: Framed): Promise<Answer> {
    return answerOf(await this.binaryReply(model, framed));
  }
}

export function frame({ message, bytes = new Uint8Array(), padding = 0 }: Framed): { body: Buffer; headerLength: number } {
  const json = Buffer.from(JSON.stringify(message) + ' '.repeat(padding));
  return { body: Buffer.concat([json, bytes]), headerLength: json.length };
}

/** The JSON value of a reply with this status. Objects of the protocol are `application/json`, which stock clients compare as it is. */
export function jsonOf(reply: Reply, status: number): unknown {
  expectEqual('status', reply.status, status);
  expectEqual('content-type', reply.headers['content-type'], 'application/json');
  try {
    return JSON.parse(reply.body.toString());
  } catch {
    throw new Mismatch('a JSON body', shown(reply.body.toString()));
  }
}

/** An inference answer: JSON alone, or a JSON part with the bytes of the binary outputs after it. */
export function answerOf(reply: Reply, body: Buffer = reply.body): Answer {
  expectEqual(`status (${shown(body.toString('latin1'))})`, reply.status, 200);
  const header = reply.headers['inference-header-content-length'];
  const headerLength = header === undefined ? body.length : Number(header);
  expectThat(Number.isInteger(headerLength) && headerLength >= 0 && headerLength <= body.length, 'Inference-Header-Content-Length within the body', header);
  expectEqual('content-type', reply.headers['content-type'], header === undefined ? 'application/json' : 'application/octet-stream');
  const message: unknown = JSON.parse(body.subarray(0, headerLength).toString());
  expectThat(isJson(message) && Array.isArray(message['outputs']), 'an inference response with outputs', message);
  let at = headerLength;
  const outputs = (message['outputs'] as readonly unknown[]).map((output): Output => {
    expectThat(isJson(output), 'an output that is an object', output);
    const size = isJson(output['parameters']) ? output['parameters']['binary_data_size'] : undefined;
    const bytes = typeof size === 'number' ? body.subarray(at, at + size) : null;
    if (bytes !== null) at += bytes.length;
    expectThat((bytes === null) === Array.isArray(output['data']), 'an output with either data or binary_data_size', output);
    return { name: output['name'], datatype: output['datatype'], shape: output['shape'], data: Array.isArray(output['data']) ? (output['data'] as unknown[]).flat(Infinity) : undefined, bytes };
  });
  expectEqual('bytes after the last binary output', body.length - at, 0);
  return { reply, message, outputs };
}

/** A refusal: a status of this class, and exactly `{"error": "…"}` in a body that every client can read. */
export function expectRefusal(reply: Reply, statuses: readonly number[] = []): string {
  const { status, headers, body } = reply;
  const expected = statuses.length === 0 ? 'a status of 400 to 499' : `status ${statuses.join(' or ')}`;
  const isExpected = statuses.length === 0 ? status >= 400 && status < 500 : statuses.includes(status);
  expectThat(isExpected, expected, `${status} ${shown(body.toString('latin1'))}`);
  expectEqual('content-type of an error', headers['content-type'], 'application/json');
  expectEqual('content-encoding of an error', headers['content-encoding'], undefined);
  const value: unknown = JSON.parse(body.toString());
  expectThat(isJson(value) && Object.keys(value).length === 1 && typeof value['error'] === 'string' && value['error'] !== '', 'exactly {"error": "…"}', value);
  return value['error'];
}

/** For what a protocol leaves open: refused properly, or answered exactly. */
export async function expectExactOrRefused(reply: Reply, exact: (answer: Answer) => void): Promise<void> {
  if (reply.status === 200) exact(answerOf(reply));
  else expectRefusal(reply);
}

export async function expectAlive(server: Server): Promise<void> {
  expectEqual('status of /v2/health/live afterwards', (await server.ask({ path: '/v2/health/live' })).status, 200);
}
