export function takeLock(path: string, options?: { onWait?: (pid: number) => void; intervalMs?: number }): Promise<() => void>;
