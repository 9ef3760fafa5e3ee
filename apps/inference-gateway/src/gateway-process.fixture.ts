import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { DataOf, EventDefinition } from '@millrace/contracts';
import { decodeEvent, type Delivery, type LogDriver, type Received } from '@millrace/messaging';
import { requiredFromEnvironment } from '@millrace/testing';

/** The built service as the stack starts it: a process of its own, with a real Kafka. */
export class GatewayProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    /** Everything that it has said. */
    readonly said: () => string,
  ) {}

  /** @param folder holds its storage and its spool, and outlives it. Resolves when it is ready. */
  static async start(folder: string, settings: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
    // Supervised, it would end with its standard input, which it has none of here.
    const { NODE_OPTIONS: _, MILLRACE_SUPERVISED: __, ...environment } = process.env;
    const env = { ...environment, KAFKA_BROKERS: requiredFromEnvironment('KAFKA_BROKERS'), STORAGE_URL: `file://${folder}/storage`, SPOOL_FOLDER: join(folder, 'spool'), PORT: '0', HOST: '127.0.0.1', LOG_LEVEL: 'info', ...settings };
    const child = spawn(process.execPath, [join(import.meta.dirname, '../dist/main.js')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    return new Promise((resolve, reject) => {
      const hear = (piece: Buffer): void => {
        said += String(piece);
        const url = /"url":"(http[^"]+)"[^\n]*is ready/u.exec(said)?.[1];
        if (url !== undefined) resolve(new GatewayProcess(child, url, () => said));
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', (code, signal) => reject(new Error(`the gateway ended with ${code ?? signal ?? 'nothing'}: ${said.slice(-2_000)}`)));
    });
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Resolves when it is gone, with its exit code. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return this.child.exitCode;
    const gone = once(this.child, 'exit') as Promise<[number | null]>;
    this.child.kill(signal);
    return (await gone)[0];
  }

  async post(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await fetch(`${this.url}${path}`, { method: 'POST', body: JSON.stringify(body) });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }
}

/** Events of one type that name `text`, from now on; what others have left in the log is passed over. */
export async function tail<D extends EventDefinition>(driver: LogDriver, definition: D, text: string): Promise<{ readonly seen: (Received<DataOf<D>> & Pick<Delivery, 'headers'>)[]; stop(): Promise<void> }> {
  const seen: (Received<DataOf<D>> & Pick<Delivery, 'headers'>)[] = [];
  const starts = new Map((await driver.watermarks(definition.type)).map(({ partition, high }) => [partition, high]));
  const consumption = await driver.consume({
    group: `tail.${randomUUID()}`,
    topics: [definition.type],
    onBatch: async (deliveries, context) => {
      const [first] = deliveries;
      const start = starts.get(first?.partition ?? -1) ?? 0;
      if (first !== undefined && first.offset < start) return context.seek(start);
      seen.push(...deliveries.filter(({ value }) => value?.includes(text) === true).map((delivery) => ({ ...decodeEvent(definition, delivery), headers: delivery.headers })));
    },
  });
  return { seen, stop: () => consumption.stop() };
}
