import type { RunningServer } from '@millrace/testing';
import { median } from '../measure/median.js';
import { vectorModel, vectorModelBytes } from '../models/model-folder.js';
import { featureCount, featureNames } from '../models/tree-ensemble.js';
import { pause } from '../pause.js';
import { PacedCaller } from './paced-caller.js';
import { predictNamed } from './requests.js';
import type { Bench, Section } from './section.js';
import { startRing } from './subjects.js';

const perSecond = 200;
const patienceMs = 20_000;

interface Change {
  /** From the broker’s acknowledgement until the slower replica says that it is in force. */
  readonly everywhereMs: number | null;
  readonly isNewVersion: boolean;
}

async function revisionOf({ url }: RunningServer): Promise<number> {
  const { route } = (await (await fetch(`${url}/v1/models/${vectorModel}`)).json()) as { route: { revision: number } | null };
  return route?.revision ?? 0;
}

async function everywhere(replicas: readonly RunningServer[], revision: number): Promise<number | null> {
  const fromMs = performance.now();
  while (performance.now() - fromMs < patienceMs) {
    const revisions = await Promise.all(replicas.map(revisionOf));
    if (revisions.every((each) => each >= revision)) return performance.now() - fromMs;
    await pause(2);
  }
  return null;
}

/** How long a committed route event takes until every replica answers by it, under load. */
export async function measurePropagation(bench: Bench): Promise<Section> {
  const changes: Change[] = [];
  const ring = await startRing();
  const replicas: RunningServer[] = [];
  try {
    const shaped = { name: vectorModel, bytes: vectorModelBytes(), inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, featureCount] }], features: featureNames };
    const [one, other] = [await ring.startGateway('gateway-propagation-a'), await ring.startGateway('gateway-propagation-b')];
    replicas.push(one, other);
    const caller = new PacedCaller([one, other], predictNamed(), perSecond);
    for (let change = 1; change <= (bench.settings.quick ? 10 : 60); change += 1) {
      // By turns the share of a candidate, whose file is there already, and a version that has to be fetched and loaded.
      const isNewVersion = change % 2 === 0;
      const champion = await ring.target(shaped, '1');
      const candidate = { ...(await ring.target(shaped, `c${Math.floor(change / 2)}`)), share: isNewVersion ? 0.1 : 0.3, mirror: false };
      const revision = await ring.route(vectorModel, { phase: 'canary', champion, candidate });
      changes.push({ isNewVersion, everywhereMs: await everywhere(replicas, revision) });
      await pause(100);
    }
    await caller.finish();
    const failed = caller.lost.length + caller.calls.filter(({ status }) => status !== 200).length;
    return sectionOf(changes, failed);
  } finally {
    for (const replica of replicas) await replica.stop();
    await ring.stop();
  }
}

function sectionOf(changes: readonly Change[], failed: number): Section {
  const of = (isNewVersion: boolean): (number | null)[] => changes.filter((change) => change.isNewVersion === isNewVersion).map(({ everywhereMs }) => everywhereMs);
  const slowest = (values: readonly (number | null)[]): number | null => (values.includes(null) ? null : Math.max(...values.map(Number)));
  const [shares, versions] = [of(false), of(true)];
  const all = slowest([...shares, ...versions]);
  return {
    id: 'propagation',
    title: 'A route event, until it is in force on both of two replicas',
    about: `${perSecond} predictions a second on two gateways; ${changes.length} route events, by turns another share and another version; from the broker’s acknowledgement until the slower replica answers by it, looked at every 2 ms.`,
    columns: ['figure', 'another share', 'another version'],
    rows: [['median ms', median(shares), median(versions)], ['slowest ms', slowest(shares), slowest(versions)], ['failed predictions', failed, null]],
    figures: { shareMs: median(shares), versionMs: median(versions), slowestMs: all, failed },
    goals: [
      { goal: 'slowest route event until in force everywhere', sense: 'at most', limit: 1_000, unit: 'ms', value: all },
      { goal: 'failed predictions while routes change', sense: 'at most', limit: 0, unit: '', value: failed },
    ],
    windows: {},
  };
}
