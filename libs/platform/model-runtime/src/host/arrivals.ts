import type { LoadOrder } from '../wire/frame.js';
import type { Lane } from './lane.js';
import type { LanePool } from './lane-pool.js';
import { LaneLost, loadInto, unloadFrom, type Loaded } from './seating.js';
import { trialRun } from './trial-run.js';

export interface Arrival extends Loaded {
  readonly lane: Lane;
  /** Too slow to share a worker, or the end of one on a trial run. */
  readonly heavy: boolean;
  /** Milliseconds of a trial run; 0: unknown. */
  readonly trialMs: number;
}

/** A model that ended a worker on its trial is given one of its own too. */
interface Verdict {
  readonly heavy: boolean;
  readonly trialMs: number;
}

const untried: Verdict = { heavy: false, trialMs: 0 };
const dangerous: Verdict = { heavy: true, trialMs: 0 };

/**
 * Finds the first seat of a model. A file is never loaded first where others live: it goes to a fresh worker, which it
 * keeps while there is room, or is tried in the vetting worker before it joins others. So a load that crashes or hangs
 * harms nobody.
 */
export class Arrivals {
  constructor(private readonly options: { readonly pool: LanePool; readonly loadMsMax: number; readonly heavyRunMs: number }) {}

  /**
   * The arrival counts in `lane.arriving` until the caller has given it its seat, or has not.
   * @throws LaneLost; Error with the runtime's reason when it refuses the file.
   */
  async seat(order: LoadOrder, ownNeeded: boolean): Promise<Arrival> {
    const { pool } = this.options;
    if (ownNeeded || pool.hasRoom) return this.#seatAlone(order, ownNeeded);
    const verdict = await this.#vet(order);
    if (verdict.heavy && pool.hasOwnRoom) return this.#load(pool.open(true), order, verdict);
    return this.#seatWithOthers(order, verdict);
  }

  async #seatAlone(order: LoadOrder, own: boolean): Promise<Arrival> {
    const { pool, heavyRunMs } = this.options;
    const arrival = await this.#load(pool.open(own), order, untried);
    try {
      const trialMs = await trialRun(arrival.lane, arrival);
      const heavy = trialMs > heavyRunMs;
      if (heavy && pool.hasOwnRoom && arrival.lane.users.size === 0 && arrival.lane.arriving === 1) pool.makeOwn(arrival.lane);
      return { ...arrival, heavy, trialMs };
    } catch (error) {
      // Made-up values ended the worker; real ones need not. It gets a worker where it can only hurt itself.
      arrival.lane.arriving -= 1;
      if (error instanceof LaneLost) return this.#load(pool.open(true), order, dangerous);
      throw error;
    }
  }

  /** @returns after the trial; the model is gone from the vetting worker again. */
  async #vet(order: LoadOrder): Promise<Verdict> {
    const { pool, loadMsMax, heavyRunMs } = this.options;
    for (;;) {
      const lane = pool.vetting();
      let loaded: Loaded | null = null;
      try {
        loaded = await loadInto(lane, order, loadMsMax);
        const trialMs = await trialRun(lane, loaded);
        await unloadFrom(lane, loaded.slot, loadMsMax);
        pool.vetted(lane);
        return { heavy: trialMs > heavyRunMs, trialMs };
      } catch (error) {
        if (!(error instanceof LaneLost)) throw error;
        if (error.started && loaded !== null) return dangerous;
        if (error.started) throw error; // otherwise another file's doing: this one is vetted anew
      }
    }
  }

  async #seatWithOthers(order: LoadOrder, verdict: Verdict): Promise<Arrival> {
    const { pool } = this.options;
    for (;;) {
      try {
        return await this.#load(pool.leastLoaded() ?? pool.open(false), order, verdict);
      } catch (error) {
        if (!(error instanceof LaneLost) || error.started) throw error;
      }
    }
  }

  async #load(lane: Lane, order: LoadOrder, verdict: Verdict): Promise<Arrival> {
    lane.arriving += 1;
    try {
      return { lane, ...verdict, ...(await loadInto(lane, order, this.options.loadMsMax)) };
    } catch (error) {
      lane.arriving -= 1;
      this.options.pool.endIfEmpty(lane);
      throw error;
    }
  }
}
