export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits for a state. @returns whether it came in time. */
export async function reachedWithin(ms: number, is: () => boolean): Promise<boolean> {
  const deadlineMs = performance.now() + ms;
  while (!is()) {
    if (performance.now() > deadlineMs) return false;
    await pause(20);
  }
  return true;
}
