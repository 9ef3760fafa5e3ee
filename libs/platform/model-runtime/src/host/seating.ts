import { frameKinds, jsonFrame, type Frame, type LoadOrder, type LoadReport } from '../wire/frame.js';
import type { Lane } from './lane.js';
import { refusalIn } from './worker-process.js';

/** The worker was lost on the way. `started`: on this very load. */
export class LaneLost extends Error {
  constructor(readonly reason: string, readonly started: boolean) {
    super(`the worker process was lost: ${reason}`);
  }
}

function reportIn(frame: Frame): LoadReport {
  const refusal = refusalIn(frame);
  if (refusal !== null) throw new Error(refusal);
  const content = frame.json();
  if (typeof content !== 'object' || content === null || !('inputs' in content)) throw new Error('the worker gave no report');
  return content as LoadReport; // written by the same build, in worker/main.ts
}

export interface Loaded {
  readonly slot: number;
  readonly report: LoadReport;
}

/**
 * Loads a file in a lane's worker.
 * @param limitMs a load that takes longer loses the worker.
 * @throws LaneLost; Error with the runtime's reason when it refuses the file.
 */
export function loadInto(lane: Lane, order: LoadOrder, limitMs: number): Promise<Loaded> {
  return new Promise((resolve, reject) => {
    const slot = lane.worker.nextSlot();
    lane.worker.ask({
      slot,
      expectedMs: 0,
      limitMs,
      onAnswer: (frame) => {
        try {
          resolve({ slot, report: reportIn(frame) });
        } catch (error) {
          reject(error);
        }
      },
      onLost: (reason, started) => reject(new LaneLost(reason, started)),
    }, (exchange) => jsonFrame({ exchange, slot, kind: frameKinds.load }, order));
  });
}

/** Frees a model's session, after all runs that were asked before. Resolves also when the worker is lost: it is free then. */
export function unloadFrom(lane: Lane, slot: number, limitMs: number): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => resolve();
    lane.worker.ask({ slot, expectedMs: 0, limitMs, onAnswer: done, onLost: done }, (exchange) => jsonFrame({ exchange, slot, kind: frameKinds.unload }));
  });
}
