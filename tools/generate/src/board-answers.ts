import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkoutRoot } from './checkout.js';
import { metricNamesOf } from './metric-names.js';
import { declaredMetrics, query } from './prometheus.js';

/** The parts of a Grafana board that a check reads. */
export interface BoardJson {
  readonly uid: string;
  readonly title: string;
  readonly templating?: { readonly list?: readonly { readonly name: string; readonly query?: unknown }[] };
  readonly panels: readonly PanelJson[];
}

export interface PanelJson {
  readonly id: number;
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly datasource?: { readonly uid?: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults?: { readonly unit?: string; readonly noValue?: string } };
  readonly targets?: readonly { readonly refId: string; readonly expr: string; readonly datasource?: { readonly uid?: string } }[];
}

/**
 * `answered`: every query of the panel has a value. `empty`: none now, which the panel says is normal (its text for no value), and
 * every metric it reads is declared by a service. `missing`: a metric that nobody declares, a wrong query, or no value where one is due.
 */
export interface PanelAnswer {
  readonly board: string;
  readonly panel: string;
  readonly state: 'answered' | 'empty' | 'missing';
  readonly reason: string;
}

export async function readBoards(root = checkoutRoot): Promise<BoardJson[]> {
  const folder = join(root, 'deploy/grafana/dashboards');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as BoardJson));
}

type Values = Readonly<Record<string, string>>;

function replaceVariables(expr: string, values: Values): string {
  const filled = expr.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '1h');
  return Object.entries(values).reduce((text, [name, value]) => text.replaceAll(`$${name}`, value), filled);
}

/** Every combination of the board’s variables that has values, since a panel may speak only of some services or models. */
async function variableValues(prometheusUrl: string, board: BoardJson): Promise<Values[]> {
  let combinations: Values[] = [{}];
  for (const { name, query: definition } of board.templating?.list ?? []) {
    const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(String(definition)) ?? [];
    if (selector === undefined || label === undefined) throw new Error(`${board.uid}: the variable ${name} is no label_values(…) query`);
    const extended = await Promise.all(
      combinations.map(async (values) => {
        const samples = await query(prometheusUrl, `group by (${label}) (${replaceVariables(selector, values)})`);
        return samples.map(({ metric }) => ({ ...values, [name]: metric[label] ?? '' }));
      }),
    );
    const found = extended.flat();
    // Without a value the variable stays as it is: its panels answer nothing, and say so.
    if (found.length > 0) combinations = found;
  }
  return combinations;
}

async function hasAnswer(prometheusUrl: string, panel: PanelJson, values: Values): Promise<boolean> {
  const answers = await Promise.all((panel.targets ?? []).map(({ expr }) => query(prometheusUrl, replaceVariables(expr, values))));
  return answers.length > 0 && answers.every((samples) => samples.length > 0);
}

async function judgePanel(prometheusUrl: string, panel: PanelJson, combinations: readonly Values[], declared: ReadonlySet<string>): Promise<Pick<PanelAnswer, 'state' | 'reason'>> {
  const read = (panel.targets ?? []).flatMap(({ expr }) => metricNamesOf(expr));
  const undeclared = read.filter((name) => !declared.has(name));
  if (undeclared.length > 0) return { state: 'missing', reason: `no service declares ${undeclared.join(', ')}` };
  try {
    for (const values of combinations) if (await hasAnswer(prometheusUrl, panel, values)) return { state: 'answered', reason: '' };
  } catch (error) {
    return { state: 'missing', reason: error instanceof Error ? error.message : String(error) };
  }
  const whenEmpty = panel.fieldConfig?.defaults?.noValue;
  return whenEmpty === undefined ? { state: 'missing', reason: 'no value' } : { state: 'empty', reason: whenEmpty };
}

/** Runs each panel’s queries, with `$__rate_interval` as 1 m and every value of the board’s variables, against a Prometheus that reads the services. */
export async function answersOfBoards(prometheusUrl: string, boards: readonly BoardJson[]): Promise<PanelAnswer[]> {
  const declared = await declaredMetrics(prometheusUrl);
  const answers: PanelAnswer[] = [];
  for (const board of boards) {
    const combinations = await variableValues(prometheusUrl, board);
    for (const panel of board.panels) {
      if (panel.type === 'row') continue;
      answers.push({ board: board.uid, panel: panel.title ?? String(panel.id), ...(await judgePanel(prometheusUrl, panel, combinations, declared)) });
    }
  }
  return answers;
}

/** Panels of the committed boards without an answer; empty when all is well. */
export async function checkBoards(prometheusUrl: string): Promise<PanelAnswer[]> {
  return (await answersOfBoards(prometheusUrl, await readBoards())).filter(({ state }) => state === 'missing');
}
