import { createRequire } from 'node:module';

interface RequestQueuePrototype {
  scheduleCheckPendingRequests(this: { pending: unknown[]; throttledUntil: number }): void;
}

/**
 * kafkajs 2.2.4 re-arms a 1 ms timer for ever, which costs 3–5 % of an idle core per process (its issue 1751).
 * Nothing has to be checked while nothing is pending and the broker throttles nothing.
 */
export function stopIdleTimer(): void {
  const require = createRequire(import.meta.url);
  const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueuePrototype & { millracePatched?: true } };
  if (prototype.millracePatched === true) return;
  const original = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function schedule(): void {
    if (this.pending.length === 0 && this.throttledUntil <= Date.now()) return;
    original.call(this);
  };
  prototype.millracePatched = true;
}
