import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

export interface GatewayProcess {
  readonly url: string;
  /** Ends it and waits until it is gone. */
  stop(): Promise<void>;
}

const startLimitMs = 60_000;
const stopLimitMs = 10_000;
const serving = /^Serving (http:\/\/\S+) after /u;

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const last = setTimeout(() => child.kill('SIGKILL'), stopLimitMs);
  await gone;
  clearTimeout(last);
}

/** The address that the gateway announces; its standard output is read to the end, so that it never waits for us. */
function announced(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('the gateway’s output is not piped'));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = serving.exec(line)?.[1];
      if (url !== undefined) resolve(url);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`the gateway ended with ${signal ?? `status ${String(code)}`} before it served`)));
  });
}

/**
 * Starts a gateway over a folder of models on a free port of 127.0.0.1, in a process of its own.
 * @param script what the gateway’s `serve` is built to
 * @throws Error when it does not serve within 60 s; it is then ended
 */
export async function startGateway(script: string, models: string, limitMs = startLimitMs): Promise<GatewayProcess> {
  const child: ChildProcess = spawn(process.execPath, [script, '--models', models, '--port', '0', '--repository-control'], { stdio: ['ignore', 'pipe', 'inherit'] });
  // However we end, it ends too.
  const endWithUs = (): void => void child.kill('SIGTERM');
  process.once('exit', endWithUs);
  child.once('exit', () => process.off('exit', endWithUs));
  let limit: NodeJS.Timeout | undefined;
  try {
    const late = new Promise<never>((_, reject) => (limit = setTimeout(() => reject(new Error(`the gateway does not serve after ${limitMs / 1_000} s`)), limitMs)));
    const url = await Promise.race([announced(child), late]);
    return { url, stop: () => stop(child) };
  } catch (error) {
    if (child.pid !== undefined) await stop(child);
    throw error;
  } finally {
    clearTimeout(limit);
  }
}
