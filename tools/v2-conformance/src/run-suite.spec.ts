// Goal: the suite passes what is right, fails what is wrong and says what it expected, and skips what is not claimed.
// Method: a small server that answers a few cases rightly, and the same with one defect each; the case that must notice is named.
import { describe, expect, it } from '@jest/globals';
import { allCases } from './cases/index.js';
import { caseRows, jsonReport, resultRow, summary } from './report.js';
import { runSuite, type CaseResult } from './run-suite.js';
import { startTrialServer, type Defect } from './trial-server.fixture.js';

const tried = new Set([
  'live', 'ready', 'of the server', 'sums and differences', 'gives back an id', 'an id is a text even when none was given', 'INT64: JSON comes back in JSON',
  'an input that is missing', 'half a message', 'errors are not compressed, whatever is accepted (gzip)', 'FP16: binary comes back in binary',
]);

async function results(defect: Defect): Promise<CaseResult[]> {
  const server = await startTrialServer(defect);
  try {
    return await runSuite(server.url, allCases.filter(({ name }) => tried.has(name)), () => undefined);
  } finally {
    await server.stop();
  }
}

const failures = (all: readonly CaseResult[]): string[] => all.filter(({ outcome }) => outcome === 'failed').map((result) => result.case.name);

describe('the suite', () => {
  it('has at least 120 cases, 40 of them negative, each with a name of its own in its group', () => {
    expect(allCases.length).toBeGreaterThanOrEqual(120);
    expect(allCases.filter(({ isNegative }) => isNegative).length).toBeGreaterThanOrEqual(40);
    expect(new Set(allCases.map(({ group, name }) => `${group}: ${name}`)).size).toBe(allCases.length);
  });

  it('passes a server that is right, and skips the extension that it does not claim', async () => {
    const all = await results('none');
    expect(failures(all)).toEqual([]);
    expect(all.filter(({ outcome }) => outcome === 'skipped').map((result) => result.case.name)).toEqual(['FP16: binary comes back in binary']);
    expect(all).toHaveLength(tried.size);
  });

  it.each<[Defect, string]>([
    ['charset', 'of the server'],
    ['status 500', 'an input that is missing'],
    ['another error shape', 'half a message'],
    ['compressed errors', 'errors are not compressed, whatever is accepted (gzip)'],
    ['rounded integers', 'INT64: JSON comes back in JSON'],
    ['no id', 'an id is a text even when none was given'],
    ['wrong sum', 'sums and differences'],
    ['hangs up', 'sums and differences'],
  ])('finds %s', async (defect, name) => {
    expect(failures(await results(defect))).toContain(name);
  });

  it('cannot ask a server that is not there', async () => {
    const server = await startTrialServer('none');
    await server.stop();
    await expect(runSuite(server.url, allCases, () => undefined)).rejects.toThrow(/ECONNREFUSED/);
  });

  it('reports in a table and in JSON', async () => {
    const all = await results('wrong sum');
    const failed = all.find(({ outcome }) => outcome === 'failed');
    expect(failed === undefined ? '' : resultRow(failed)).toMatch(/FAILED.*sums and differences[^]*expected OUTPUT0 = \[2,3[^]*came +\[3,4/);
    expect(summary('http://a', all)).toMatch(/all +\d+ +\d+ +1\n11 cases, 3 of them negative, against http:\/\/a/);
    expect(JSON.parse(jsonReport('http://a', all))).toMatchObject({ url: 'http://a', skipped: 1, cases: expect.arrayContaining([expect.objectContaining({ name: 'sums and differences', outcome: 'failed' })]) });
    expect(caseRows(allCases)).toContain(`${allCases.length} cases`);
  });
});
