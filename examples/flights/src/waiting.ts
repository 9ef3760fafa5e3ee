import { setTimeout as wait } from 'node:timers/promises';

/** Looks again until there is something to see. @throws Error with `what` and the last failure after the deadline. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false | null>, withinSeconds = 90): Promise<T> {
  const deadline = Date.now() + withinSeconds * 1000;
  let failure = '';
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false && seen !== null) return seen;
      failure = '';
    } catch (error) {
      failure = error instanceof Error ? `: ${error.message}` : `: ${String(error)}`;
    }
    if (Date.now() > deadline) throw new Error(`waited ${withinSeconds} s in vain for ${what}${failure}`);
    await wait(250);
  }
}

export class StoryBroken extends Error {}

/** What the story claims must be so; otherwise the step has not happened. */
export function must(condition: boolean, claim: string): asserts condition {
  if (!condition) throw new StoryBroken(`this did not happen: ${claim}`);
}
