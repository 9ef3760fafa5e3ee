import type { PredictionOutput } from '@millrace/contracts';
import { ByteWriter } from '@millrace/core/inference';
import type { Instance } from './instance-judge.js';
import type { LiveRoute } from './route-book.js';
import type { Answer, Group } from './served-answers.js';
import type { ServingVersion } from './serving-version.js';

/** What is told of a version. */
type Told = Pick<ServingVersion, 'version' | 'layout'>;

interface RouteTold {
  readonly route: Pick<LiveRoute['route'], 'model' | 'revision'>;
}
interface GroupTold extends Pick<Group, 'arm' | 'probability'> {
  readonly version: Told;
}

/** What the event of one answer says beside its route, group and features. */
export interface AnswerTold extends Pick<Instance, 'id' | 'unit' | 'eventTime'>, Pick<Answer, 'predictionId' | 'output' | 'fallback'> {
  readonly servedAt: string;
  readonly latencyMs: number;
}

const utf8 = new TextEncoder();
/** Used by one event at a time. */
const writer = new ByteWriter();

/** What every event of one version under one route says, up to the record’s id. */
const headsOf = new WeakMap<RouteTold, Map<string, Uint8Array>>();

function headOf(live: RouteTold, { arm, version, probability }: GroupTold): Uint8Array {
  let heads = headsOf.get(live);
  if (heads === undefined) headsOf.set(live, (heads = new Map<string, Uint8Array>()));
  let head = heads.get(version.version);
  if (head === undefined) {
    const all = JSON.stringify({ model: live.route.model, version: version.version, role: 'primary', arm, routeRevision: live.route.revision, armProbability: probability });
    heads.set(version.version, (head = utf8.encode(`${all.slice(0, -1)},"recordId":`)));
  }
  return head;
}

function writeOutput(output: PredictionOutput): void {
  const { value } = output;
  if (value === undefined || output.label !== undefined) return writer.raw(utf8.encode(JSON.stringify(output)));
  writer.ascii('{"value":');
  writer.float64(value === 0 ? 0 : value); // JSON has no sign at zero
  writer.ascii('}');
}

function writeTexts({ id, unit, eventTime, predictionId, output, fallback, servedAt }: AnswerTold): void {
  writer.text(id);
  writer.ascii(',"predictionId":');
  writer.text(predictionId);
  writer.ascii(',"requestId":');
  writer.text(predictionId);
  writer.ascii(',"unit":');
  writer.text(unit ?? id);
  writer.ascii(',"eventTime":');
  writer.text(eventTime ?? servedAt);
  writer.ascii(',"output":');
  writeOutput(output);
  if (fallback !== undefined) {
    writer.ascii(',"fallback":');
    writer.text(fallback);
  }
  writer.ascii(',"servedAt":');
  writer.text(servedAt);
}

/**
 * The event of one answer, as bytes of the JSON of `PredictionServed`: put together from ready parts, since it is made for
 * every answer before the answer leaves.
 * @param writeFeatures writes the features as a JSON object.
 * @returns memory that the next call writes to.
 */
export function servedJson(live: RouteTold, group: GroupTold, answer: AnswerTold, writeFeatures: (to: ByteWriter) => void): Uint8Array {
  writer.clear();
  writer.raw(headOf(live, group));
  writeTexts(answer);
  writer.ascii(',"features":');
  writeFeatures(writer);
  writer.ascii(',"latencyMs":');
  writer.thousandths(Math.round(answer.latencyMs * 1_000));
  writer.ascii('}');
  return writer.written;
}

/** Features that a caller gave by name: those of the version. */
export const givenFeatures = ({ layout }: Told, { features }: Pick<Instance, 'features'>) => (to: ByteWriter): void => {
  if (layout === null) to.ascii('{}');
  else layout.writeFeatures(to, features);
};
