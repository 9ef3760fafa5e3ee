import { setTimeout as wait } from 'node:timers/promises';
import { Agent, request } from 'undici';

type Method = 'GET' | 'POST' | 'PUT';
const retryForMs = 60_000;

/** A refused connection has changed nothing. A broken one may have: only what may be said twice is said again. */
function isWorthAnotherTry(error: unknown, method: Method): boolean {
  if (error instanceof RingError) return error.status === 503 && method !== 'POST';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNREFUSED' || (method !== 'POST' && (code === 'ECONNRESET' || code === 'UND_ERR_SOCKET'));
}

/** What the story asks the services. Every figure it shows comes from here. */
export class RingClient {
  private readonly agent = new Agent({ connections: 48, pipelining: 1, keepAliveTimeout: 30_000 });

  constructor(private readonly services: Readonly<Record<string, string>>) {}

  address(service: string): string {
    const address = this.services[service];
    if (address === undefined) throw new Error(`the stack has no ${service}`);
    return address;
  }

  async get<T>(service: string, path: string): Promise<T> {
    return this.call<T>(service, 'GET', path);
  }

  async send<T>(service: string, method: 'POST' | 'PUT', path: string, body: unknown): Promise<T> {
    return this.call<T>(service, method, path, JSON.stringify(body), 'application/json');
  }

  async sendBytes<T>(service: string, path: string, bytes: Buffer): Promise<T> {
    return this.call<T>(service, 'PUT', path, bytes, 'application/octet-stream');
  }

  /** Answers undefined where the service says 404. */
  async find<T>(service: string, path: string): Promise<T | undefined> {
    try {
      return await this.get<T>(service, path);
    } catch (error) {
      if (error instanceof RingError && error.status === 404) return undefined;
      throw error;
    }
  }

  /** A service that is away for a moment is asked again, as any client with retries would. */
  private async call<T>(service: string, method: Method, path: string, body?: string | Buffer, type?: string): Promise<T> {
    const deadline = Date.now() + retryForMs;
    for (;;) {
      try {
        return await this.attempt<T>(service, method, path, body, type);
      } catch (error) {
        if (Date.now() > deadline || !isWorthAnotherTry(error, method)) throw error;
        await wait(200);
      }
    }
  }

  private async attempt<T>(service: string, method: Method, path: string, body?: string | Buffer, type?: string): Promise<T> {
    const response = await request(`${this.address(service)}${path}`, {
      method,
      dispatcher: this.agent,
      ...(body === undefined ? {} : { body }),
      ...(type === undefined ? {} : { headers: { 'content-type': type } }),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new RingError(service, response.statusCode, `${service} answered ${response.statusCode} to ${method} ${path}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as T;
  }

  async close(): Promise<void> {
    await this.agent.close();
  }
}

export class RingError extends Error {
  constructor(
    readonly service: string,
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}
