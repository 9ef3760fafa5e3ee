import { Agent, request, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';

const timeoutMs = 20_000;

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** As it came over the wire, not decompressed. */
  readonly body: Buffer;
}

export interface Question {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Several pieces are sent chunked, without a length. */
  readonly body?: Uint8Array | string | readonly Uint8Array[];
}

/** One server under test. Nothing is added to what a case sends but Host, Connection and a length. */
export class HttpExchange {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(readonly origin: string) {}

  /** @throws Error when no answer comes within 20 s or the connection breaks. */
  ask({ method = 'GET', path, headers = {}, body }: Question): Promise<Reply> {
    const pieces = Array.isArray(body) ? (body as readonly Uint8Array[]) : undefined;
    const whole = pieces === undefined && body !== undefined ? Buffer.from(body as Uint8Array | string) : undefined;
    const length = whole === undefined ? {} : { 'content-length': whole.length };
    return new Promise((resolve, reject) => {
      const call = request(`${this.origin}${path}`, { method, agent: this.agent, headers: { ...length, ...headers }, timeout: timeoutMs }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) }));
      });
      call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs / 1_000} s`)));
      call.on('error', reject);
      for (const piece of pieces ?? []) call.write(piece);
      call.end(whole);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}
