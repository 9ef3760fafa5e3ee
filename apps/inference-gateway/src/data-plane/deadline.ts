import type { RunOptions } from '@millrace/model-runtime';
import type { ServingVersion } from './serving-version.js';

/** When a request’s answer is no longer of use: by its own timeout, otherwise by the version’s default; unset: never. */
export function deadlineOf(version: ServingVersion, startedMs: number, timeoutMs: number | undefined, priority?: number): RunOptions {
  const allowedMs = timeoutMs ?? version.meaning.deadlineMs;
  return { ...(allowedMs === undefined ? {} : { deadlineMs: startedMs + allowedMs }), ...(priority === undefined || priority === 0 ? {} : { priority }) };
}
