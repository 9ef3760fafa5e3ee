import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { MillraceError } from '@millrace/contracts';
import { defaultBackOff, pauseBeforeMs, type BackOff } from './back-off.js';
import { clearLeftover, forgetProcess, recordProcess } from './ledger.js';
import { openLog } from './log-file.js';
import { endWithThisProcess, signalGroup, terminate } from './processes.js';

export interface ProcessDefinition {
  readonly name: string;
  /** A Node script, run by the Node that runs us. */
  readonly script: string;
  readonly arguments?: readonly string[];
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

export type SupervisorEvent =
  | { readonly kind: 'started'; readonly name: string; readonly pid: number; readonly restarts: number }
  | { readonly kind: 'exited'; readonly name: string; readonly pid: number; readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly restartInMs: number }
  | { readonly kind: 'forced'; readonly name: string; readonly pid: number };

export interface SupervisorOptions {
  /** Logs go to `<folder>/logs/<name>.log`, pids to `<folder>/pids`. */
  readonly folder: string;
  readonly onEvent?: (event: SupervisorEvent) => void;
  readonly backOff?: BackOff;
  /** How long a process may take to drain before it is killed. */
  readonly stopGraceMs?: number;
}

interface Ward {
  readonly definition: ProcessDefinition;
  child: ChildProcess | undefined;
  startedAtMs: number;
  /** Since it was last calm; decides the pause. */
  streak: number;
  restarts: number;
  stopping: boolean;
  timer: NodeJS.Timeout | undefined;
  release: (() => void) | undefined;
}

/**
 * Keeps named Node processes running: what exits without having been told to is started again after a growing pause.
 * Each child leads its own process group and reads a pipe whose other end we hold: when this process dies, however it
 * dies, the child sees the end of its standard input and drains (MILLRACE_SUPERVISED=1 tells it that this is so).
 */
export class Supervisor {
  private readonly wards = new Map<string, Ward>();
  private readonly backOff: BackOff;
  private readonly stopGraceMs: number;

  constructor(private readonly options: SupervisorOptions) {
    this.backOff = options.backOff ?? defaultBackOff;
    this.stopGraceMs = options.stopGraceMs ?? 10_000;
  }

  /** Starts a process, after stopping one that an earlier supervisor of this folder left under the same name. */
  async start(definition: ProcessDefinition): Promise<number | undefined> {
    if (this.wards.has(definition.name)) throw new MillraceError('STACK_FAILED', `${definition.name} is supervised already`);
    const ward: Ward = { definition, child: undefined, startedAtMs: 0, streak: 0, restarts: 0, stopping: false, timer: undefined, release: undefined };
    this.wards.set(definition.name, ward);
    await clearLeftover(this.options.folder, definition.name);
    return this.launch(ward);
  }

  pidOf(name: string): number | undefined {
    return this.wards.get(name)?.child?.pid;
  }

  restartsOf(name: string): number {
    return this.wards.get(name)?.restarts ?? 0;
  }

  logOf(name: string): string {
    return join(this.options.folder, 'logs', `${name}.log`);
  }

  get names(): readonly string[] {
    return [...this.wards.keys()];
  }

  /** SIGTERM, then SIGKILL after the grace; a pending restart is called off. */
  async stop(name: string): Promise<void> {
    const ward = this.wards.get(name);
    if (ward === undefined) return;
    ward.stopping = true;
    clearTimeout(ward.timer);
    const pid = ward.child?.pid;
    if (pid !== undefined) {
      const forced = await terminate(pid, { graceMs: this.stopGraceMs });
      if (forced) this.options.onEvent?.({ kind: 'forced', name, pid });
      // What the process itself had started dies with it.
      signalGroup(pid, 'SIGKILL');
    }
    ward.release?.();
    this.wards.delete(name);
    await forgetProcess(this.options.folder, name);
  }

  async stopAll(): Promise<void> {
    // Named first, so that nothing is restarted while its neighbours stop.
    for (const ward of this.wards.values()) ward.stopping = true;
    await Promise.all(this.names.map((name) => this.stop(name)));
  }

  /** Undefined when it was told to stop before anything was spawned. */
  private async launch(ward: Ward): Promise<number | undefined> {
    const { name, script, environment } = ward.definition;
    const log = await openLog(this.logOf(name));
    if (ward.stopping) {
      await log.close();
      return undefined;
    }
    const child = spawn(process.execPath, [...(ward.definition.nodeFlags ?? []), script, ...(ward.definition.arguments ?? [])], {
      detached: true,
      stdio: ['pipe', log.fd, log.fd],
      env: { ...process.env, ...environment, MILLRACE_SUPERVISED: '1', MILLRACE_SUPERVISOR_PID: String(process.pid) },
    });
    // The pipe only ever signals its end; writing is never tried, but a dead reader must not crash us.
    child.stdin?.on('error', () => undefined);
    child.once('error', (error) => process.emitWarning(`${name} cannot be spawned: ${error.message}`));
    child.once('exit', (code, signal) => this.handleExit(ward, child, code, signal));
    // From here to the next await nothing else runs: whoever stops the ward later finds its child.
    ward.child = child;
    ward.startedAtMs = Date.now();
    const pid = child.pid;
    if (pid !== undefined) ward.release = endWithThisProcess(pid, 'SIGKILL');
    await log.close();
    if (pid === undefined) throw new MillraceError('STACK_FAILED', `${name} cannot be spawned`);
    if (!ward.stopping) await recordProcess(this.options.folder, name, pid);
    this.options.onEvent?.({ kind: 'started', name, pid, restarts: ward.restarts });
    return pid;
  }

  private handleExit(ward: Ward, child: ChildProcess, code: number | null, signal: NodeJS.Signals | null): void {
    ward.release?.();
    ward.child = undefined;
    if (ward.stopping) return;
    const pid = child.pid ?? 0;
    signalGroup(pid, 'SIGKILL');
    ward.streak = Date.now() - ward.startedAtMs >= this.backOff.calmMs ? 1 : ward.streak + 1;
    const restartInMs = pauseBeforeMs(ward.streak, this.backOff);
    this.options.onEvent?.({ kind: 'exited', name: ward.definition.name, pid, code, signal, restartInMs });
    ward.timer = setTimeout(() => this.restart(ward), restartInMs);
  }

  private restart(ward: Ward): void {
    if (ward.stopping) return;
    ward.restarts += 1;
    this.launch(ward).catch((error: unknown) => process.emitWarning(`${ward.definition.name} cannot be restarted: ${error instanceof Error ? error.message : String(error)}`));
  }
}
