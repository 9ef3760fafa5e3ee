import { WorkerProcess, type WorkerEvents } from './worker-process.js';

/** What a lane needs of a model that has work for it. */
export interface LaneUser {
  readonly name: string;
  /** Sends one batch, if any call may go now. @returns true when more calls wait. */
  sendBatch(lane: Lane): boolean;
}

/** One worker and the models that live in it. They take turns, one batch each, so that none fills the worker alone. */
export class Lane {
  readonly worker: WorkerProcess;
  readonly users = new Set<LaneUser>();
  /** Sessions given back; the runtime leaks a part of each (microsoft/onnxruntime#25325). */
  unloaded = 0;
  /** Kept for one model: nobody else moves in. */
  own = false;
  /** Being emptied: its models move elsewhere. */
  leaving = false;
  /** Models on their way in: while there are any, the lane is not ended. */
  arriving = 0;
  /** Whose run it was that the worker was lost on. */
  guilty: LaneUser | null = null;
  #turns = new Set<LaneUser>();
  #scheduled = false;

  constructor(events: Omit<WorkerEvents, 'onRoom' | 'onLost'> & { onLost(lane: Lane, reason: string): void }) {
    this.worker = new WorkerProcess({
      onStarted: events.onStarted,
      onGone: events.onGone,
      onRoom: () => this.#schedule(),
      onLost: (_, reason) => events.onLost(this, reason),
    });
  }

  /** A model has calls that may go. They go at the end of this turn of the event loop, with what comes until then. */
  want(user: LaneUser): void {
    this.#turns.add(user);
    this.#schedule();
  }

  forget(user: LaneUser): void {
    this.#turns.delete(user);
    this.users.delete(user);
  }

  readonly #pump = (): void => {
    this.#scheduled = false;
    if (!this.worker.alive) return;
    for (const user of this.#turns) {
      if (!this.#hasRoom()) return;
      this.#turns.delete(user);
      if (user.sendBatch(this)) this.#turns.add(user); // at the end of the line; the loop gets there too
    }
  };

  #hasRoom(): boolean {
    const { exchanges } = this.worker;
    return exchanges === 0 || (exchanges === 1 && this.worker.onShort);
  }

  #schedule(): void {
    if (this.#scheduled || this.#turns.size === 0) return;
    this.#scheduled = true;
    setImmediate(this.#pump);
  }
}
