import type { EventDefinition } from './event.js';
import { outcomeObserved, predictionExplained, predictionFailed, predictionServed } from './events/inference.js';
import { aliasMoved, contractChanged, eventRefused, routeChanged, runCompleted, specChanged, stepDecided, versionRegistered } from './events/models.js';
import { verdictIssued } from './events/monitoring.js';
import { batchJudged, contractBroken, labelAdmitted, recordAccepted, recordAdmitted, recordQuarantined, recordRefused, segmentSealed } from './events/records.js';
import type { TopicName } from './topics.js';

/** Every event by its topic. A topic without an entry does not compile. */
export const eventCatalogue: Readonly<Record<TopicName, EventDefinition>> = {
  'ingestion.record-accepted.v1': recordAccepted,
  'ingestion.record-refused.v1': recordRefused,
  'validation.record-admitted.v1': recordAdmitted,
  'validation.label-admitted.v1': labelAdmitted,
  'validation.record-quarantined.v1': recordQuarantined,
  'validation.batch-judged.v1': batchJudged,
  'validation.contract-broken.v1': contractBroken,
  'validation.segment-sealed.v1': segmentSealed,
  'inference.prediction-served.v1': predictionServed,
  'inference.prediction-failed.v1': predictionFailed,
  'inference.prediction-explained.v1': predictionExplained,
  'outcomes.outcome-observed.v1': outcomeObserved,
  'monitoring.verdict-issued.v1': verdictIssued,
  'training.run-completed.v1': runCompleted,
  'registry.contract-changed.v1': contractChanged,
  'registry.spec-changed.v1': specChanged,
  'registry.version-registered.v1': versionRegistered,
  'registry.alias-moved.v1': aliasMoved,
  'rollout.route-changed.v1': routeChanged,
  'rollout.step-decided.v1': stepDecided,
  'messaging.event-refused.v1': eventRefused,
};
