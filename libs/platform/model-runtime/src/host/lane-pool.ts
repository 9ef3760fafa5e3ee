import { getPriority, setPriority } from 'node:os';
import { MillraceError } from '@millrace/contracts';
import { Lane } from './lane.js';
import type { ProcessGuard } from './process-guard.js';

export interface LanePoolOptions {
  /** Lanes that models share or have because there are few of them; as many again for models that need their own. */
  readonly lanesMax: number;
  /** A process that waits for the next model is given up when none came for so long. */
  readonly spareIdleMs: number;
  readonly guard: ProcessGuard;
  readonly onLost: (lane: Lane, reason: string) => void;
}

// Another process is started once a burst of loads is over, so that it does not take their time.
const spareDelayMs = 300;
// A model known to be slow yields to the others where all cores are taken: it then gets a tenth of what they get.
// Niceness beyond this process's own; 19 is the system's most.
const heavyNiceness = 10;
// The runtime leaks a part of every session that was freed.
const vettingsMax = 64;

/** The worker processes of a host, with one kept warm for the next model. */
export class LanePool {
  readonly lanes = new Set<Lane>();
  #spare: Lane | null = null;
  #vetting: Lane | null = null;
  #spareTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(private readonly options: LanePoolOptions) {}

  get spare(): Lane | null { return this.#spare; }

  get inVetting(): Lane | null { return this.#vetting; }

  /** Lanes, also those without a model. */
  all(): Lane[] {
    return [...this.lanes, this.#spare, this.#vetting].filter((lane) => lane !== null);
  }

  get hasRoom(): boolean { return this.#count(false) < this.options.lanesMax; }
  get hasOwnRoom(): boolean { return this.#count(true) < this.options.lanesMax; }

  /** A fresh process. It can be asked at once, whether it is up or still on its way. */
  open(own: boolean): Lane {
    const lane = this.#take();
    lane.own = own;
    this.lanes.add(lane);
    return lane;
  }

  /** The worker where files are tried before they join others. */
  vetting(): Lane {
    this.#vetting ??= this.#take();
    return this.#vetting;
  }

  /** A file has been tried in it and was unloaded. */
  vetted(lane: Lane): void {
    lane.unloaded += 1;
    if (lane.unloaded < vettingsMax) return;
    if (this.#vetting === lane) this.#vetting = null;
    if (lane.worker.exchanges === 0) lane.worker.end();
  }

  #take(): Lane {
    // A load that was under way when the host closed: a process begun now would outlive it.
    if (this.#closed) throw new MillraceError('MODEL_NOT_READY', 'this server is closing and loads no more models');
    const lane = this.#spare?.worker.alive === true ? this.#spare : this.#start();
    this.#spare = null;
    this.#planSpare(spareDelayMs, () => this.#keepSpare());
    return lane;
  }

  /** The shared lane with the fewest models. */
  leastLoaded(): Lane | null {
    let least: Lane | null = null;
    const load = (lane: Lane): number => lane.users.size + lane.arriving;
    for (const lane of this.lanes) {
      if (lane.own || lane.leaving || !lane.worker.alive) continue;
      if (least === null || load(lane) < load(least)) least = lane;
    }
    return least;
  }

  makeOwn(lane: Lane): void {
    lane.own = true;
    this.yieldTime(lane);
  }

  yieldTime({ worker: { pid } }: Lane): void {
    try {
      setPriority(pid, Math.min(19, getPriority() + heavyNiceness));
    } catch {
      // It is gone, or the system forbids it: then it keeps the usual priority.
    }
  }

  #keepSpare(): void {
    this.#spare ??= this.#start();
    this.#planSpare(this.options.spareIdleMs, () => this.#endIdle());
  }

  #endIdle(): void {
    this.#spare?.worker.end();
    this.#spare = null;
    if (this.#vetting?.worker.exchanges !== 0) return;
    this.#vetting.worker.end();
    this.#vetting = null;
  }

  endIfEmpty(lane: Lane): void {
    if (lane.users.size > 0 || lane.arriving > 0) return;
    this.lanes.delete(lane);
    lane.worker.end();
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#spareTimer !== null) clearTimeout(this.#spareTimer);
    const all = this.all();
    for (const { worker } of all) worker.end();
    this.lanes.clear();
    this.#spare = null;
    this.#vetting = null;
    await Promise.all(all.map(({ worker }) => worker.gone));
  }

  #start(): Lane {
    const { guard, onLost } = this.options;
    return new Lane({
      onStarted: (pid) => guard.add(pid),
      onGone: (pid) => guard.remove(pid),
      onLost: (lane, reason) => {
        this.lanes.delete(lane);
        if (this.#spare === lane) this.#spare = null;
        if (this.#vetting === lane) this.#vetting = null;
        onLost(lane, reason);
      },
    });
  }

  #planSpare(delayMs: number, then: () => void): void {
    if (this.#spareTimer !== null) clearTimeout(this.#spareTimer);
    this.#spareTimer = this.#closed ? null : setTimeout(then, delayMs).unref();
  }

  #count(own: boolean): number {
    let count = 0;
    for (const lane of this.lanes) if (lane.own === own && !lane.leaving) count += 1;
    return count;
  }
}
