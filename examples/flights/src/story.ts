import { join } from 'node:path';
import { parseModelYaml } from '@millrace/contracts';
import { KafkaDriver } from '@millrace/messaging';
import { trainerFolder, trainerPython, type Endpoints } from '@millrace/stack';
import { accounting, evidence } from './chapters-evidence.js';
import { badRelease, firstModel, historyArrives, liveTraffic } from './chapters-first-model.js';
import { decline, renewal, sabotage } from './chapters-renewal.js';
import { FlightEvents } from './flight-events.js';
import { RingClient } from './ring-client.js';
import { trainSaboteur } from './saboteur.js';
import { model, text, type Stage } from './stage.js';
import { Timeline } from './timeline.js';
import { Traffic } from './traffic.js';

export interface StoryPlace {
  readonly root: string;
  readonly folder: string;
  readonly signal: AbortSignal;
}

const producerPartitions = 4;

/** Tells the whole story against a running ring. Answers 0 only if every step of it happened. */
export async function tellStory(endpoints: Endpoints, { root, folder, signal }: StoryPlace): Promise<number> {
  const timeline = new Timeline(join(root, '.millrace', 'story.json'));
  const ring = new RingClient(endpoints.services as Readonly<Record<string, string>>);
  const driver = new KafkaDriver({ brokers: endpoints.kafka.split(','), clientId: 'flights' });
  await driver.createTopics(['flights.departures', 'flights.arrivals'].map((topic) => ({ topic, partitions: producerPartitions, cleanup: 'delete' as const })));
  const spec = parseModelYaml(text(root, 'model.yaml'));
  const events = join(root, '.millrace', 'flights', 'flights.ndjson');
  const features = spec.spec.features.map(({ name }) => name);
  const traffic = new Traffic(new FlightEvents(events), await driver.producer(), ring.address('inference-gateway'), model, features);
  const stage: Stage = { ring, traffic, timeline, root, folder, python: trainerPython, signal };
  const saboteur = trainSaboteur({ python: trainerPython, trainer: trainerFolder, root, job: join(folder, 'work', 'saboteur'), events, spec });
  saboteur.catch(() => undefined);
  try {
    await historyArrives(stage);
    await firstModel(stage);
    await liveTraffic(stage);
    await badRelease(stage);
    await renewal(stage, await decline(stage));
    await sabotage(stage, await saboteur);
    await evidence(stage);
    await accounting(stage);
  } catch (error) {
    timeline.fail(error instanceof Error ? error.message : String(error));
  } finally {
    timeline.save();
    await traffic.close();
    await driver.close();
    await ring.close();
  }
  timeline.print(timeline.failed ? '\nThe story broke off. Logs are in .millrace/story/logs, all figures in .millrace/story.json.' : '\nThe story is told; all figures are in .millrace/story.json.');
  return timeline.failed ? 1 : 0;
}
