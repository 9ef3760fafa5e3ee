import { MillraceError } from '@millrace/contracts';
import { availableParallelism } from 'node:os';
import { signatureMistake, type ExpectedSignature } from '../expected-signature.js';
import { Arrivals } from './arrivals.js';
import { HostedModel } from './hosted-model.js';
import type { Lane } from './lane.js';
import { LanePool } from './lane-pool.js';
import { loadReason } from './load-reason.js';
import { ModelFiles } from './model-files.js';
import { ProcessGuard } from './process-guard.js';
import { Replacements } from './replacements.js';
import { Resident } from './resident.js';
import { LaneLost, loadInto, unloadFrom, type Loaded } from './seating.js';
import { limitDefaults, type FullLimits, type ModelLimits, type ModelSource, type ServedModel } from './served-model.js';

export type HostLog = (level: 'info' | 'warn' | 'error', fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface ModelHostOptions {
  /** Workers that models share, or have to themselves while there are few; as many again for models that need their own. Default: the cores, at least 4, at most 16. */
  readonly workersMax?: number;
  /** A model whose runs take longer gets a worker of its own. Default 5. */
  readonly heavyRunMs?: number;
  /** A load that takes longer is refused. Default 60,000. */
  readonly loadMsMax?: number;
  /** Wait before a model that lost three workers within a minute is tried again; doubles each time. Default 10,000. */
  readonly retryMs?: number;
  /** A shared worker that has unloaded so many models is replaced. Default 16. */
  readonly unloadsMax?: number;
  /** A worker kept warm for the next load is given up after so long without one: it holds 55 MB. Default 3,000. */
  readonly spareIdleMs?: number;
  readonly log?: HostLog;
}

export interface WorkerView {
  readonly pid: number;
  readonly models: readonly string[];
  /** null where the system does not tell. */
  readonly residentBytes: number | null;
  /** spare: waits for a model; vetting: tries files before they join others; shared; own: kept for one model; leaving: its models are moving out. */
  readonly state: 'spare' | 'vetting' | 'shared' | 'own' | 'leaving';
}

// How often hung runs, outgrown limits and passed deadlines are looked for.
const tickMs = 50;
const megabyte = 2 ** 20;

function loadFailed(cause: unknown, path: string): MillraceError {
  if (cause instanceof MillraceError) return cause;
  const message = cause instanceof LaneLost
    ? `the worker that loaded the model was lost: ${cause.reason}. No other model is affected.`
    : `the model cannot be loaded: ${loadReason(cause instanceof Error ? cause.message : String(cause), path)}.`;
  return new MillraceError('MODEL_LOAD_FAILED', message, { cause });
}

/** Runs models in worker processes, so that none of them can slow down or take down this process or each other. One per process. */
export class ModelHost {
  readonly #residents = new Map<unknown, Resident>();
  readonly #options: Required<ModelHostOptions>;
  #running: Running | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: ModelHostOptions = {}) {
    this.#options = {
      workersMax: Math.max(4, Math.min(16, availableParallelism())),
      heavyRunMs: 5, loadMsMax: 60_000, retryMs: 10_000, unloadsMax: 16, spareIdleMs: 3_000, log: () => undefined,
      ...options,
    };
  }

  /** Workers now, those without a model included. */
  get workers(): readonly WorkerView[] {
    const pool = this.#running?.pool;
    return (pool?.all() ?? []).map((lane) => ({
      pid: lane.worker.pid,
      models: [...lane.users].map(({ name }) => name),
      residentBytes: lane.worker.residentBytes,
      state: lane === pool?.spare ? 'spare' : lane === pool?.inVetting ? 'vetting' : lane.leaving ? 'leaving' : lane.own ? 'own' : 'shared',
    }));
  }

  /**
   * Loads a model in a worker; this process's event loop goes on meanwhile.
   * @param options.expected the file must have exactly these inputs and outputs.
   * @param options.name for logs and `workers`.
   * @throws MillraceError MODEL_LOAD_FAILED saying what is wrong with the file and what to do; nothing is left of it.
   */
  async load(source: ModelSource, { expected, limits = {}, name = 'model' }: { expected?: ExpectedSignature; limits?: ModelLimits; name?: string } = {}): Promise<ServedModel> {
    const { files, pool, arrivals } = this.#start();
    const full: FullLimits = { ...limitDefaults, ...limits };
    const file = await files.keep(source);
    let lane: Lane | null = null;
    try {
      const seat = await arrivals.seat({ path: file.path, threads: full.threads }, full.memoryMbMax !== Infinity);
      lane = seat.lane;
      const { inputs, outputs } = seat.report;
      const mistake = signatureMistake(inputs, outputs, expected) ?? forbiddenName([...inputs, ...outputs]);
      if (mistake !== null) throw new MillraceError('MODEL_LOAD_FAILED', mistake);
      const model = new HostedModel(name, inputs, outputs, full, { onRun: (self, ms) => this.#afterRun(self, ms), onClose: (self) => this.#release(self) });
      const resident = new Resident(model, file);
      this.#residents.set(model, resident);
      model.expect(seat.trialMs);
      model.sit(seat, seat.report.addedBytes);
      lane.arriving -= 1;
      resident.seated(performance.now());
      resident.heavy = seat.heavy;
      return model;
    } catch (cause) {
      if (lane !== null) {
        lane.arriving -= 1;
        pool.endIfEmpty(lane);
      }
      await file.drop();
      throw loadFailed(cause, file.path);
    }
  }

  /** Answers what was accepted, closes all models and ends all workers. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    if (this.#running === null) return;
    const { ticker, pool, replacements, guard } = this.#running;
    await Promise.all([...this.#residents.values()].map(({ model }) => model.close()));
    clearInterval(ticker);
    replacements.close();
    await pool.close();
    await guard.close();
  }

  /** Processes are started with the first model, not by construction. */
  #start(): Running {
    if (this.#closed !== null) throw new MillraceError('MODEL_NOT_READY', 'this server is closing and loads no more models');
    if (this.#running !== null) return this.#running;
    const { log, workersMax, spareIdleMs, loadMsMax, heavyRunMs, retryMs, unloadsMax } = this.#options;
    const files = new ModelFiles();
    const guard = new ProcessGuard(files.folder, (reason) => log('warn', { reason }, 'no guard: a hung model worker would outlive a killed server'));
    const pool = new LanePool({ lanesMax: workersMax, spareIdleMs, guard, onLost: (lane, reason) => this.#running?.replacements.afterLoss(lane, reason) });
    const load = async ({ file, model }: Resident, lane: Lane): Promise<Loaded> => {
      await file.check();
      return loadInto(lane, { path: file.path, threads: model.limits.threads }, loadMsMax);
    };
    const replacements = new Replacements({ pool, residents: this.#residents, load, loadMsMax, retryMs, unloadsMax, log });
    const ticker = setInterval(() => this.#tick(), tickMs).unref();
    const arrivals = new Arrivals({ pool, loadMsMax, heavyRunMs });
    this.#running = { files, guard, pool, arrivals, replacements, ticker };
    return this.#running;
  }

  async #release(model: HostedModel): Promise<void> {
    const resident = this.#residents.get(model);
    if (resident === undefined || this.#running === null) return;
    const { pool, replacements } = this.#running;
    resident.closed = true;
    this.#residents.delete(model);
    const seat = model.seat;
    if (seat !== null) {
      seat.lane.forget(model);
      pool.endIfEmpty(seat.lane); // nothing leaks from a process that is gone
      if (seat.lane.worker.alive) {
        await unloadFrom(seat.lane, seat.slot, this.#options.loadMsMax);
        void replacements.afterUnload(seat.lane);
      }
    }
    await resident.file.drop();
  }

  #afterRun(model: HostedModel, ms: number): void {
    const resident = this.#residents.get(model);
    if (resident?.becomesHeavy(ms > this.#options.heavyRunMs) === true) void this.#running?.replacements.giveOwnLane(resident);
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const { worker } of this.#running?.pool.all() ?? []) worker.checkLimits(nowMs);
    for (const { model } of this.#residents.values()) {
      model.sweep(nowMs);
      const { memoryMbMax } = model.limits;
      const worker = memoryMbMax === Infinity ? undefined : model.seat?.lane.worker;
      const heldMb = (worker?.residentBytes ?? 0) / megabyte;
      if (worker !== undefined && heldMb > memoryMbMax) worker.kill(`it held ${Math.round(heldMb)} MB, more than its limit of ${memoryMbMax} MB`);
    }
  }
}

interface Running {
  readonly files: ModelFiles;
  readonly guard: ProcessGuard;
  readonly pool: LanePool;
  readonly arrivals: Arrivals;
  readonly replacements: Replacements;
  readonly ticker: NodeJS.Timeout;
}

/** Answers are objects by output name, and this one would set what the object inherits. */
const forbiddenName = (specs: readonly { readonly name: string }[]): string | null =>
  specs.some(({ name }) => name === '__proto__') ? 'a tensor of the model is named __proto__; export it under another name' : null;
