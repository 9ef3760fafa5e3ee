import { Histogram } from '../measure/histogram.js';
import { cpuMsOf } from '../measure/process-tree.js';
import type { LoadJob, LoadResult } from './job.js';

const ownCpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

/** Counts what happens between `open` and `close`; what happens outside is warm-up or too late. */
export class Tally {
  counting = false;
  private readonly answered = new Histogram();
  private readonly refused = new Histogram();
  private readonly sentLate = new Histogram();
  private readonly statuses: Record<string, number> = {};
  private readonly lost: Record<string, number> = {};
  private refusedWithoutRetryAfter = 0;
  private firstRefusal: string | null = null;
  private openedMs = 0;
  private closedMs = 0;
  private serverCpuMs: number | null = null;
  private generatorCpuMs = 0;

  constructor(private readonly job: Pick<LoadJob, 'serverPid'>) {}

  open(): void {
    this.serverCpuMs = this.serverCpu();
    this.generatorCpuMs = ownCpuMs();
    this.openedMs = performance.now();
    this.counting = true;
  }

  /** Answers to requests of the window may still be counted after it. */
  close(): void {
    this.closedMs = performance.now();
    const [before, after] = [this.serverCpuMs, this.serverCpu()];
    this.serverCpuMs = before === null || after === null ? null : after - before;
    this.generatorCpuMs = ownCpuMs() - this.generatorCpuMs;
    this.counting = false;
  }

  answer(status: number, head: string, body: Buffer, tookMs: number): void {
    this.statuses[status] = (this.statuses[status] ?? 0) + 1;
    (status === 200 ? this.answered : this.refused).record(tookMs * 1_000);
    if (status !== 200) this.refusal(status, head, body);
  }

  late(byMs: number): void {
    this.sentLate.record(byMs * 1_000);
  }

  lose(reason: string): void {
    this.lost[reason] = (this.lost[reason] ?? 0) + 1;
  }

  result(): LoadResult {
    return {
      windowMs: this.closedMs - this.openedMs,
      statuses: this.statuses,
      lost: this.lost,
      answered: this.answered.sparse(),
      refused: this.refused.sparse(),
      refusedWithoutRetryAfter: this.refusedWithoutRetryAfter,
      sentLate: this.sentLate.sparse(),
      serverCpuMs: this.serverCpuMs,
      generatorCpuMs: this.generatorCpuMs,
      firstRefusal: this.firstRefusal,
    };
  }

  private refusal(status: number, head: string, body: Buffer): void {
    this.firstRefusal ??= `${status} ${body.toString('utf8').slice(0, 300)}`;
    if ((status === 429 || status === 503) && !/\r\nretry-after:/iu.test(head)) this.refusedWithoutRetryAfter += 1;
  }

  private serverCpu(): number | null {
    return this.job.serverPid === undefined ? null : (cpuMsOf(this.job.serverPid) ?? null);
  }
}
