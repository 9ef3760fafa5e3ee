import type { PredictionOutput } from '@millrace/contracts';
import type { Features } from '@millrace/core/inference';
import type { ServedText } from './answer-log.js';
import type { Instance } from './instance-judge.js';
import type { LiveRoute } from './route-book.js';
import type { Answer, Group } from './served-answers.js';
import type { ServingVersion } from './serving-version.js';

const quoted = (text: string): string => JSON.stringify(text);

/** What is told of a version. */
type Told = Pick<ServingVersion, 'version' | 'layout'>;

interface RouteTold {
  readonly route: Pick<LiveRoute['route'], 'model' | 'revision'>;
}
interface GroupTold extends Pick<Group, 'arm' | 'probability'> {
  readonly version: Told;
}

/** What every event of one version under one route says. */
const headsOf = new WeakMap<RouteTold, Map<string, string>>();

function headOf(live: RouteTold, { arm, version, probability }: GroupTold): string {
  let heads = headsOf.get(live);
  if (heads === undefined) headsOf.set(live, (heads = new Map<string, string>()));
  let head = heads.get(arm);
  if (head === undefined) {
    head = JSON.stringify({ model: live.route.model, version: version.version, role: 'primary', arm, routeRevision: live.route.revision, armProbability: probability }).slice(0, -1);
    heads.set(arm, head);
  }
  return head;
}

/** `"name":` of each feature, with the comma between. */
const namesOf = new WeakMap<Told, readonly { readonly name: string; readonly head: string }[]>();

function featuresText(version: Told, features: Features): string {
  let names = namesOf.get(version);
  if (names === undefined) namesOf.set(version, (names = (version.layout?.features ?? []).map(({ name }, index) => ({ name, head: `${index === 0 ? '' : ','}${quoted(name)}:` }))));
  let text = '{';
  for (const { name, head } of names) {
    const value = features[name];
    text += head + (typeof value === 'number' ? (Number.isFinite(value) ? String(value) : 'null') : typeof value === 'string' ? quoted(value) : 'null');
  }
  return `${text}}`;
}

const outputText = (output: PredictionOutput): string => (output.value !== undefined && output.label === undefined ? `{"value":${output.value}}` : JSON.stringify(output));

/**
 * The event of one answer, as text, as JSON.stringify would make it of `PredictionServed`: put together from ready parts,
 * since it is made for every answer before the answer leaves.
 */
export function servedText(live: RouteTold, group: GroupTold, { id, unit, eventTime, features }: Instance, { predictionId, output, fallback }: Answer, servedAt: string, latencyMs: number): ServedText {
  const recordId = quoted(id);
  const time = eventTime === undefined ? `"${servedAt}"` : quoted(eventTime);
  const by = fallback === undefined ? '' : `,"fallback":${quoted(fallback)}`;
  const ids = `,"recordId":${recordId},"predictionId":"${predictionId}","requestId":"${predictionId}","unit":${unit === undefined ? recordId : quoted(unit)}`;
  const said = `,"output":${outputText(output)}${by},"servedAt":"${servedAt}","features":${featuresText(group.version, features)},"latencyMs":${Math.round(latencyMs * 1_000) / 1_000}}`;
  return { recordId: id, predictionId, servedAt, json: `${headOf(live, group)}${ids},"eventTime":${time}${said}` };
}
