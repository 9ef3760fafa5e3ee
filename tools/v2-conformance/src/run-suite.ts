import { Mismatch, type Case } from './case.js';
import { HttpExchange } from './http-exchange.js';
import { isJson, Server } from './server.js';

export interface CaseResult {
  readonly case: Case;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly expected: string;
  readonly came: string;
}

/** The extensions that a server claims; a server without metadata claims none. @throws Error when it cannot be reached */
async function extensionsOf(exchange: HttpExchange): Promise<ReadonlySet<string>> {
  const { body } = await exchange.ask({ path: '/v2' });
  try {
    const value: unknown = JSON.parse(body.toString());
    const list = isJson(value) && Array.isArray(value['extensions']) ? value['extensions'] : [];
    // Some are claimed with their options, such as `model_repository(unload_dependents)`.
    return new Set(list.map((each) => String(each).replace(/\(.*/u, '')));
  } catch {
    return new Set();
  }
}

async function runCase(each: Case, server: Server): Promise<CaseResult> {
  if (each.needs !== undefined && !server.extensions.has(each.needs)) return { case: each, outcome: 'skipped', expected: '', came: `does not claim ${each.needs}` };
  try {
    await each.run(server);
    return { case: each, outcome: 'passed', expected: '', came: '' };
  } catch (error) {
    if (error instanceof Mismatch) return { case: each, outcome: 'failed', expected: error.expected, came: error.came };
    return { case: each, outcome: 'failed', expected: 'an answer that can be read', came: error instanceof Error ? error.message : String(error) };
  }
}

/** @throws Error when the server cannot be reached at all. */
export async function runSuite(origin: string, cases: readonly Case[], told: (result: CaseResult) => void): Promise<CaseResult[]> {
  const exchange = new HttpExchange(origin);
  try {
    const server = new Server(exchange, await extensionsOf(exchange));
    const results: CaseResult[] = [];
    for (const each of cases) {
      const result = await runCase(each, server);
      results.push(result);
      told(result);
    }
    return results;
  } finally {
    exchange.close();
  }
}
