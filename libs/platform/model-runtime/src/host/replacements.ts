import type { Seat } from './hosted-model.js';
import type { Lane } from './lane.js';
import type { LanePool } from './lane-pool.js';
import type { HostLog } from './model-host.js';
import type { Resident } from './resident.js';
import { LaneLost, unloadFrom, type Loaded } from './seating.js';

export interface ReplacementOptions {
  readonly pool: LanePool;
  readonly residents: ReadonlyMap<unknown, Resident>;
  readonly load: (resident: Resident, lane: Lane) => Promise<Loaded>;
  readonly loadMsMax: number;
  readonly retryMs: number;
  readonly unloadsMax: number;
  readonly log: HostLog;
}

/** Moves models from worker to worker: from dead ones, from leaky ones, and from shared ones to their own. */
export class Replacements {
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(private readonly options: ReplacementOptions) {}

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
  }

  /** The model whose run it was pays for it; the others of the worker only wait for a new one. */
  afterLoss(lane: Lane, reason: string): void {
    const residents = this.#residentsOf(lane);
    const guilty = residents.length === 1 ? residents[0] : residents.find(({ model }) => model === lane.guilty);
    if (residents.length > 0) this.options.log('error', { pid: lane.worker.pid, models: residents.map(({ model }) => model.name), guilty: guilty?.model.name, reason }, 'a model worker was lost');
    for (const { model } of residents) model.standUp(reason);
    if (guilty !== undefined) {
      guilty.heavy = true;
      this.#replaceOrWait(guilty, reason);
    }
    const others = residents.filter((resident) => resident !== guilty);
    if (others.length > 0) void this.#replaceAll(others);
  }

  /** A model that is too slow to share goes to a worker of its own, if there is room for one. */
  async giveOwnLane(resident: Resident): Promise<void> {
    const { pool } = this.options;
    const old = resident.model.seat;
    if (old === null || old.lane.own || this.#closed) return;
    if (!pool.hasOwnRoom) return this.options.log('warn', { model: resident.model.name }, 'a slow model stays with others: there is no room for another worker');
    if (old.lane.users.size === 1 && old.lane.arriving === 0) return pool.makeOwn(old.lane);
    const lane = pool.open(true);
    try {
      await this.#move(resident, lane);
      pool.yieldTime(lane);
    } catch (error) {
      this.options.log('warn', { model: resident.model.name, reason: String(error) }, 'a slow model could not be given its own worker');
      pool.endIfEmpty(lane);
    }
  }

  /** A model has left a lane that others may use. */
  async afterUnload(lane: Lane): Promise<void> {
    const { pool, unloadsMax } = this.options;
    lane.unloaded += 1;
    pool.endIfEmpty(lane);
    if (lane.worker.alive && lane.unloaded >= unloadsMax && !lane.leaving && !this.#closed) await this.#empty(lane);
  }

  /** The worker leaks (microsoft/onnxruntime#25325): its models are loaded into a fresh one, then switched over. */
  async #empty(lane: Lane): Promise<void> {
    const { pool, log } = this.options;
    lane.leaving = true;
    lane.unloaded = 0;
    const fresh = pool.open(lane.own);
    try {
      for (const resident of this.#residentsOf(lane)) await this.#move(resident, fresh);
      log('info', { pid: lane.worker.pid, next: fresh.worker.pid }, 'a model worker was renewed');
    } catch (error) {
      lane.leaving = false;
      log('warn', { pid: lane.worker.pid, reason: String(error) }, 'a model worker could not be renewed');
    }
    pool.endIfEmpty(fresh);
  }

  /** Loads a model in another lane; its calls go there from then on, and the old session is freed after its last run. */
  async #move(resident: Resident, lane: Lane): Promise<void> {
    lane.arriving += 1;
    let old: Seat | null;
    try {
      const { slot, report } = await this.options.load(resident, lane);
      if (resident.closed) return await unloadFrom(lane, slot, this.options.loadMsMax);
      old = resident.model.seat;
      old?.lane.forget(resident.model);
      resident.model.sit({ lane, slot }, report.addedBytes);
      resident.seated(performance.now());
    } finally {
      lane.arriving -= 1;
    }
    if (old !== null) void unloadFrom(old.lane, old.slot, this.options.loadMsMax).then(() => this.afterUnload(old.lane));
  }

  #residentsOf(lane: Lane): Resident[] {
    return [...lane.users].flatMap((user) => this.options.residents.get(user) ?? []);
  }

  #replaceOrWait(resident: Resident, reason: string): void {
    if (resident.lose(performance.now())) this.#retryLater(resident, reason);
    else void this.#replaceAll([resident]);
  }

  /** Those that wait with calls come first. */
  async #replaceAll(residents: readonly Resident[]): Promise<void> {
    const { pool } = this.options;
    if (this.#closed) return;
    let lane = this.#laneFor(residents);
    const waiting = [...residents].sort((a, b) => b.model.statistics.queuedRows - a.model.statistics.queuedRows);
    for (const resident of waiting) {
      if (resident.closed || this.#closed) continue;
      try {
        if (!lane.worker.alive) lane = this.#laneFor([resident]);
        await this.#move(resident, lane);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        // Lost on another model's account: this one is only unlucky, but it is not tried forever.
        if (error instanceof LaneLost) this.#replaceOrWait(resident, reason);
        else this.#retryLater(resident, `it cannot be loaded again: ${reason}`);
      }
    }
    pool.endIfEmpty(lane);
  }

  #laneFor(residents: readonly Resident[]): Lane {
    const { pool } = this.options;
    const alone = residents.length === 1 ? residents[0] : undefined;
    const own = alone?.ownNeeded === true || (alone?.heavy === true && pool.hasOwnRoom);
    if (own || pool.hasRoom) return pool.open(own);
    return pool.leastLoaded() ?? pool.open(false);
  }

  #retryLater(resident: Resident, reason: string): void {
    const delayMs = resident.nextRetryMs(this.options.retryMs);
    resident.model.fail(`${reason}; it has lost too many workers, and is tried again in ${Math.ceil(delayMs / 1000)} s`);
    this.options.log('error', { model: resident.model.name, reason, delayMs }, 'a model is out of service');
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#replaceAll([resident]);
    }, delayMs).unref();
    this.#timers.add(timer);
  }
}
