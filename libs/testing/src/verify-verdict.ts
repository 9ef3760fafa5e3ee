import { execFile } from 'node:child_process';
import { resolve } from 'node:path';

export interface CommandEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the command tells with `--json`, and its exit code. */
export interface Verified {
  readonly code: number;
  readonly same: boolean;
  readonly recordedSha256: string;
  readonly recomputedSha256: string;
  readonly rows: number;
  readonly unchecked: readonly string[];
  readonly differences: readonly { readonly path: string; readonly recorded: unknown; readonly recomputed: unknown }[];
}

/** From the checkout, where jest runs. */
const command = resolve('apps/cli/dist/main.js');

/** The built `millrace verify-verdict`, each time as a process of its own. */
export class VerifyVerdict {
  /** @param environment where the services are that it asks, as `MILLRACE_<SERVICE>_URL`. */
  constructor(private readonly environment: Readonly<Record<string, string>>) {}

  run(id: string, ...options: readonly string[]): Promise<CommandEnd> {
    const env = { ...process.env, NODE_OPTIONS: '', ...this.environment };
    return new Promise((done) => {
      execFile(process.execPath, [command, 'verify-verdict', id, ...options], { env, maxBuffer: 1 << 24 }, (error, stdout, stderr) => done({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }));
    });
  }

  /** @throws Error with what it says when it verifies nothing. */
  async verified(id: string): Promise<Verified> {
    const { code, stdout, stderr } = await this.run(id, '--json');
    if (stdout === '') throw new Error(stderr);
    return { ...(JSON.parse(stdout) as Omit<Verified, 'code'>), code };
  }
}
