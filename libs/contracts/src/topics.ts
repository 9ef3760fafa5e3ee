/**
 * Every topic of the ring: the only source. The topics that a stack creates, the table in docs/topics.md and the ACL
 * examples are generated from it. Record-keyed topics share one partition count, so that joins are local to a partition.
 */
export interface TopicDefinition {
  readonly key: 'record key' | 'stream' | 'model';
  readonly writtenBy: ServiceName;
  readonly readBy: readonly (ServiceName | 'operators')[];
  readonly cleanup: 'delete' | 'compact';
  readonly fact: string;
}

export const services = [
  'ingestion',
  'data-validation',
  'inference-gateway',
  'outcome-joining',
  'drift-monitoring',
  'training-orchestrator',
  'model-registry',
  'rollout-controller',
] as const;
export type ServiceName = (typeof services)[number];

export const topics = {
  'ingestion.record-accepted.v1': {
    key: 'record key', writtenBy: 'ingestion', readBy: ['data-validation'], cleanup: 'delete',
    fact: 'A producer’s record or label was parsed and got its identity.',
  },
  'ingestion.record-refused.v1': {
    key: 'record key', writtenBy: 'ingestion', readBy: ['data-validation', 'operators'], cleanup: 'delete',
    fact: 'What a producer sent could not be parsed; its bytes and the reason are kept.',
  },
  'validation.record-admitted.v1': {
    key: 'record key', writtenBy: 'data-validation', readBy: ['data-validation'], cleanup: 'delete',
    fact: 'A record passed its data contract.',
  },
  'validation.label-admitted.v1': {
    key: 'record key', writtenBy: 'data-validation', readBy: ['data-validation', 'outcome-joining'], cleanup: 'delete',
    fact: 'A label passed its data contract.',
  },
  'validation.record-quarantined.v1': {
    key: 'record key', writtenBy: 'data-validation', readBy: ['data-validation', 'operators'], cleanup: 'delete',
    fact: 'A record or label broke its data contract and waits for a replay.',
  },
  'validation.batch-judged.v1': {
    key: 'stream', writtenBy: 'data-validation', readBy: ['data-validation'], cleanup: 'delete',
    fact: 'A batch of a stream was judged: how many, how many were quarantined, by which rules, per event day.',
  },
  'validation.contract-broken.v1': {
    key: 'stream', writtenBy: 'data-validation', readBy: ['training-orchestrator'], cleanup: 'delete',
    fact: 'More of a stream is quarantined than its contract allows.',
  },
  'validation.segment-sealed.v1': {
    key: 'stream', writtenBy: 'data-validation', readBy: ['training-orchestrator'], cleanup: 'delete',
    fact: 'A range of offsets was archived as one Parquet file.',
  },
  'inference.prediction-served.v1': {
    key: 'record key', writtenBy: 'inference-gateway', readBy: ['outcome-joining', 'drift-monitoring', 'rollout-controller'], cleanup: 'delete',
    fact: 'A model version answered (primary) or would have answered (shadow).',
  },
  'inference.prediction-failed.v1': {
    key: 'record key', writtenBy: 'inference-gateway', readBy: ['rollout-controller', 'operators'], cleanup: 'delete',
    fact: 'A model version was asked (primary) or shown a request (shadow) and gave no answer.',
  },
  'inference.prediction-explained.v1': {
    key: 'record key', writtenBy: 'inference-gateway', readBy: ['drift-monitoring'], cleanup: 'delete',
    fact: 'An answer of the sample that the spec asks for was explained: what each feature contributed.',
  },
  'outcomes.outcome-observed.v1': {
    key: 'record key', writtenBy: 'outcome-joining', readBy: ['drift-monitoring', 'rollout-controller'], cleanup: 'delete',
    fact: 'Predictions met their label.',
  },
  'monitoring.verdict-issued.v1': {
    key: 'model', writtenBy: 'drift-monitoring', readBy: ['training-orchestrator', 'rollout-controller'], cleanup: 'delete',
    fact: 'A window of a model version was judged.',
  },
  'training.run-completed.v1': {
    key: 'model', writtenBy: 'training-orchestrator', readBy: ['model-registry'], cleanup: 'delete',
    fact: 'A training run ended, with a candidate and its evidence or with a reason.',
  },
  'registry.contract-changed.v1': {
    key: 'stream', writtenBy: 'model-registry', readBy: ['ingestion', 'data-validation', 'training-orchestrator'], cleanup: 'compact',
    fact: 'A stream has a new data contract version.',
  },
  'registry.spec-changed.v1': {
    key: 'model', writtenBy: 'model-registry',
    readBy: ['inference-gateway', 'outcome-joining', 'drift-monitoring', 'training-orchestrator', 'rollout-controller'], cleanup: 'compact',
    fact: 'A model has a new spec revision.',
  },
  'registry.version-registered.v1': {
    key: 'model', writtenBy: 'model-registry', readBy: ['drift-monitoring', 'training-orchestrator', 'rollout-controller'], cleanup: 'delete',
    fact: 'A model version exists, with its artifact, reference profile and evidence.',
  },
  'registry.alias-moved.v1': {
    key: 'model', writtenBy: 'model-registry', readBy: ['training-orchestrator', 'operators'], cleanup: 'delete',
    fact: 'An alias such as champion points at another version.',
  },
  'rollout.route-changed.v1': {
    key: 'model', writtenBy: 'rollout-controller', readBy: ['inference-gateway', 'model-registry'], cleanup: 'compact',
    fact: 'Traffic of a model is routed otherwise.',
  },
  'rollout.step-decided.v1': {
    key: 'model', writtenBy: 'rollout-controller', readBy: ['model-registry', 'operators'], cleanup: 'delete',
    fact: 'A roll-out moved, stayed or went back, with its evidence.',
  },
  'messaging.event-refused.v1': {
    key: 'record key', writtenBy: 'data-validation', readBy: ['operators'], cleanup: 'delete',
    fact: 'Any service: an event of the ring did not match its schema; its bytes and the reason are kept.',
  },
} as const satisfies Record<string, TopicDefinition>;

export type TopicName = keyof typeof topics;
export const topicNames = Object.keys(topics) as readonly TopicName[];
