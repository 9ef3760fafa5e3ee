const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/**
 * First SIGINT, SIGTERM or SIGHUP: `stop`, then exit as a shell expects (128 + signal). A second one exits at once; what
 * then still runs is ended by the exit hooks. With MILLRACE_SUPERVISED=1 the end of standard input counts as SIGTERM:
 * whoever started us held its other end and is gone.
 */
export function stopOnSignals(stop: () => Promise<void>): void {
  let stopping = false;
  const begin = (status: number) => {
    stopping = true;
    stop().then(
      () => process.exit(status),
      (error: unknown) => {
        process.stderr.write(`stopping failed: ${error instanceof Error ? error.message : String(error)}\n`);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (stopping) process.exit(128 + numbers[signal]);
      begin(128 + numbers[signal]);
    });
  }
  if (process.env['MILLRACE_SUPERVISED'] !== '1') return;
  const starterIsGone = () => {
    if (!stopping) begin(128 + numbers.SIGTERM);
  };
  process.stdin.on('end', starterIsGone).on('error', starterIsGone).resume();
  process.stdin.unref();
}
