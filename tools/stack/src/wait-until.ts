/** Polls until `check` holds; false when the deadline passes first. A check that throws counts as "not yet". */
export async function waitUntil(check: () => Promise<boolean> | boolean, { deadlineMs, intervalMs = 50 }: { deadlineMs: number; intervalMs?: number }): Promise<boolean> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    if (await Promise.resolve().then(check).catch(() => false)) return true;
    if (Date.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}
