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
  // Lists, not sets: what is added and removed all the time makes a set change its table, and each old table that has come
  // to the old generation keeps the next one alive, with all it points to.
  #turns: LaneUser[] = [];
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
    this.#queue(user);
    this.#schedule();
  }

  forget(user: LaneUser): void {
    this.#turns = this.#turns.filter((other) => other !== user);
    this.users.delete(user);
  }

  readonly #pump = (): void => {
    this.#scheduled = false;
    if (!this.worker.alive) return;
    while (this.#hasRoom()) {
      const user = this.#turns.shift();
      if (user === undefined) return;
      if (user.sendBatch(this)) this.#queue(user);
    }
  };

  #queue(user: LaneUser): void {
    if (!this.#turns.includes(user)) this.#turns.push(user);
  }

  #hasRoom(): boolean {
    const { exchanges } = this.worker;
    return exchanges === 0 || (exchanges === 1 && this.worker.onShort);
  }

  #schedule(): void {
    if (this.#scheduled || this.#turns.length === 0) return;
    this.#scheduled = true;
    setImmediate(this.#pump);
  }
}
