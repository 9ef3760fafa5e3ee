// A process of its own, so that making load never waits for measuring it: one job by message, one result, end.
import { runClosedLoop } from './closed-loop.js';
import type { LoadJob } from './job.js';
import { runOpenLoop } from './open-loop.js';

process.once('message', (job: LoadJob) => {
  const run = job.pace.kind === 'closed' ? runClosedLoop(job) : runOpenLoop(job, job.pace.perSecond);
  run.then(
    (result) => process.send?.({ result }, () => process.exit(0)),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }, () => process.exit(1)),
  );
});
process.once('disconnect', () => process.exit(1));
