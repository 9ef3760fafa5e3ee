import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';

/** One line per spec file as it ends, failures in full, and counts and failures as JSON for whoever started jest. */
export default class ProgressReporter {
  #done = 0;
  #total = 0;
  #failures = [];

  onRunStart(results) {
    this.#total = results.numTotalTestSuites;
  }

  onTestResult(test, result) {
    this.#done += 1;
    const failed = result.testExecError !== undefined && result.testExecError !== null ? Math.max(1, result.numFailingTests) : result.numFailingTests;
    const skipped = result.numPendingTests + result.numTodoTests;
    const took = result.perfStats.end === 0 ? '' : ` ${((result.perfStats.end - result.perfStats.start) / 1000).toFixed(1)} s`;
    const counts = [`${result.numPassingTests} passed`, ...(failed > 0 ? [`${failed} failed`] : []), ...(skipped > 0 ? [`${skipped} skipped`] : [])].join(', ');
    const file = relative(test.context.config.rootDir, test.path);
    process.stdout.write(`[${this.#done}/${this.#total}] ${failed > 0 ? 'FAIL' : 'ok'} ${file}: ${counts}${took}\n`);
    if (result.failureMessage) {
      process.stdout.write(`${result.failureMessage}\n`);
      this.#failures.push(`${file}\n${result.failureMessage}`);
    }
  }

  onRunComplete(_contexts, results) {
    const counts = {
      passed: results.numPassedTests,
      // A file that cannot be loaded has no tests to fail; it must not look like success.
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites + (results.runExecError ? 1 : 0),
      skipped: results.numPendingTests + results.numTodoTests,
      failures: this.#failures,
    };
    const file = process.env.MILLRACE_TEST_COUNTS;
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
  }
}
