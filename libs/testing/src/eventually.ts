/**
 * Waits for a state instead of sleeping: looks again until `look` answers something other than undefined, false or null.
 * @throws Error naming `what` after `withinMs`, with the last failure.
 */
export async function eventually<T>(what: string, look: () => T | Promise<T>, withinMs = 120_000): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = Date.now() + withinMs;
  let failure: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found as NonNullable<Exclude<T, false>>;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain: ${what}${failure instanceof Error ? ` (${failure.message})` : ''}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
