import { Type, type Static } from '@sinclair/typebox';
import { parse as parseYaml } from 'yaml';
import { MillraceError } from '../errors.js';
import { Duration, Literals, Name, Share } from '../scalars.js';
import { parse, refusal, withoutUnknown } from '../schema.js';
import { guardMistakes, RolloutGuards } from './rollout-guards.js';
import { rolloutMistakes, rolloutStrategyMembers } from './rollout-steps.js';
import { Serving } from './serving.js';

const closed = { additionalProperties: false } as const;
const PositiveCount = (value: number) => Type.Integer({ minimum: 1, default: value });

export const FeatureSpec = Type.Object({ name: Type.String({ minLength: 1 }), type: Literals(['number', 'category']) }, closed);
export type FeatureSpec = Static<typeof FeatureSpec>;

const MetricName = Literals(['auc', 'accuracy', 'log-loss', 'brier', 'mae', 'rmse', 'r2']);
export type MetricName = Static<typeof MetricName>;

const Threshold = Type.Object(
  { metric: MetricName, minimum: Type.Optional(Type.Number()), maximum: Type.Optional(Type.Number()) },
  closed,
);

const Dataset = Type.Object(
  {
    window: Type.Optional(Duration({ description: 'only records younger than this at the label horizon; absent: all' })),
    testShare: Share({ default: 0.2, description: 'the latest part, by event time' }),
    validationShare: Share({ default: 0.1, description: 'the part before the test part' }),
  },
  { ...closed, default: {} },
);

const Trainer = Type.Object(
  {
    name: Name,
    algorithm: Literals(['lightgbm', 'logistic-regression', 'linear']),
    hyperparameters: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Boolean()]), { default: {} }),
    seed: Type.Integer({ minimum: 0, default: 42 }),
    timeout: Duration({ default: 'PT15M', description: 'wall clock' }),
    attempts: Type.Integer({ minimum: 1, maximum: 10, default: 3 }),
  },
  closed,
);

const Gates = Type.Object(
  {
    metrics: Type.Array(Threshold, { default: [] }),
    slices: Type.Array(
      Type.Intersect([Type.Object({ by: Type.String(), rowsMin: Type.Integer({ minimum: 1, default: 100 }) }), Type.Object({
        metric: MetricName, minimum: Type.Optional(Type.Number()), maximum: Type.Optional(Type.Number()) })]),
      { default: [] },
    ),
    championLossMargin: Type.Number({ minimum: 0, default: 0, description: 'how much worse than the champion the mean loss may be, on the same rows' }),
    parityMax: Type.Number({ minimum: 0, default: 1e-4, description: 'largest difference to the trainer’s own predictions' }),
    latencyMsP95Max: Type.Number({ exclusiveMinimum: 0, default: 50, description: 'one row in the serving runtime' }),
  },
  { ...closed, default: {} },
);

const FairnessRule = Type.Object(
  {
    by: Type.String({ minLength: 1, description: 'the feature that tells the groups apart; its value travels with the outcomes' }),
    metrics: Type.Array(Literals(['selection-rate', 'true-positive-rate', 'false-positive-rate', 'equalised-odds']), { minItems: 1, default: ['selection-rate', 'equalised-odds'] }),
    differenceMax: Share({ default: 0.1, description: 'largest tolerated difference of a rate between two groups' }),
    rowsMin: Type.Integer({ minimum: 1, default: 30, description: 'smaller groups are not judged' }),
  },
  closed,
);

const ConceptDrift = Type.Object(
  {
    enabled: Type.Boolean({ default: true }),
    meanTimeBetweenFalseAlarms: Type.Integer({ minimum: 1, default: 1_000_000, description: 'in units: rows, or panes' }),
    pane: Duration({ default: 'PT1M', description: 'label event time; rows of one pane have no order' }),
    unit: Literals(['row', 'pane'], { default: 'row', description: 'what is independent of its neighbours: each row, or, where the rows of a pane share their luck (one day’s weather), each pane as one' }),
    errorTolerance: Type.Optional(Type.Number({ exclusiveMinimum: 0, description: 'regression: an answer that is off by more is wrong; absent: what four of five answers kept to at training' })),
  },
  { ...closed, default: {} },
);

const Estimation = Type.Object(
  {
    worseByMax: Type.Optional(Share({ description: 'how much lower than at training the accuracy estimated without labels may be; absent: estimated, never an alarm' })),
    gapMax: Share({ default: 0.05, description: 'how much higher than expected of their probabilities the share of wrong answers may turn out' }),
  },
  { ...closed, default: {} },
);

/** “At most one false incident per model per 30 days”; libs/core/drift reads it. */
const falseAlarmsPattern = '^(?:[Aa]t most )?(?:[0-9]+(?:[.][0-9]+)?|an?|one|two|three|four|five|six|seven|eight|nine|ten) false (?:incident|alarm)s?(?: per model)? (?:per|in|every|an?) (?:(?:[0-9]+(?:[.][0-9]+)? )?(?:hour|day|week|month|quarter|year)s?|P[0-9DTWHMS.]+)$';

const Monitoring = Type.Object(
  {
    window: Duration({ default: 'P1D', description: 'tumbling event-time window' }),
    lateness: Duration({ default: 'PT10M', description: 'allowed lateness behind the largest event time' }),
    rowsMin: Type.Integer({ minimum: 1, default: 200 }),
    pane: Type.Optional(Duration({ description: 'windows are made of panes of this length, and predictions that come twice within the lateness count once; absent: a minute, or longer so that 60 panes span the lateness' })),
    amendUntil: Type.Optional(Duration({ description: 'stream clock: rows that come so long after their window was judged amend its verdict; absent: one window' })),
    falseAlarms: Type.String({ pattern: falseAlarmsPattern, default: 'at most one false incident per model per 30 days', description: 'what drift and performance verdicts together may cost, in words or with an ISO 8601 duration' }),
    alpha: Type.Optional(Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, description: 'false alarms per window of one kind, over all features, in place of falseAlarms' })),
    drift: Type.Object(
      {
        ksMin: Share({ default: 0.1, description: 'numbers: Kolmogorov–Smirnov distance that matters' }),
        categoryMin: Share({ default: 0.1, description: 'share of the rows that change their category' }),
        nullShareMin: Share({ default: 0.05, description: 'change of the share of missing values' }),
        newCategoryMin: Share({ default: 0.01, description: 'share of a category that training never saw' }),
        outOfRangeMin: Share({ default: 0.05, description: 'share of numbers beyond all of training' }),
        jointMin: Share({ default: 0.2, description: 'all features together: share of the rows that a classifier tells from those of training' }),
        attributionMin: Share({ default: 0.05, description: 'change of a feature’s part in the explanations, where serving.explanations asks for them' }),
        volumeMin: Share({ default: 0.5, description: 'part of the rows of a window that is missing, or too many, by the windows before' }),
        segments: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: 4, uniqueItems: true, description: 'category features: the rows of each of their frequent values, and of all others together, are judged by themselves too' })),
        segmentValuesMax: Type.Optional(Type.Integer({ minimum: 1, maximum: 32, description: 'frequent values of each of segments, by the training rows; absent: 8' })),
        reference: Type.Optional(Type.Object({ season: Literals(['hour-of-day', 'day-of-week', 'hour-of-week']) }, { ...closed, description: 'windows are compared with the training rows of the same season (event time, UTC), mixed as the window’s own rows are; absent: with all training rows' })),
      },
      { ...closed, default: {} },
    ),
    silenceMax: Type.Optional(Duration({ description: 'wall clock: a model that was asked and is not for so long has a verdict on its freshness; absent: silence is none of its business' })),
    performance: Type.Array(
      Type.Object({ metric: MetricName, worseByMax: Type.Number({ minimum: 0, description: 'how much worse than the reference is tolerated' }) }, closed),
      { default: [] },
    ),
    conceptDrift: ConceptDrift,
    estimation: Estimation,
    fairness: Type.Array(FairnessRule, { default: [] }),
  },
  { ...closed, default: {} },
);

const Retraining = Type.Object(
  {
    initialRows: Type.Integer({ minimum: 1, default: 1000, description: 'labelled rows before the first training' }),
    onDrift: Type.Boolean({ default: true }),
    onPerformance: Type.Boolean({ default: true }),
    newRows: Type.Optional(Type.Integer({ minimum: 1, description: 'labelled rows since the last training' })),
    every: Type.Optional(Duration({ description: 'schedule on the stream clock' })),
    cooldown: Duration({ default: 'P7D', description: 'stream clock, since the last plan' }),
    budget: Type.Object({ runs: Type.Integer({ minimum: 1, default: 10 }), per: Duration({ default: 'P30D' }) }, { ...closed, default: {} }),
  },
  { ...closed, default: {} },
);

const Rollout = Type.Object(
  {
    alpha: Type.Number({ exclusiveMinimum: 0, exclusiveMaximum: 1, default: 0.05, description: 'error of the whole roll-out: chance that a candidate that is not worse is taken back, over all steps, slices, guards and looks together; and chance that one that is worse than a step’s margin passes that step' }),
    lossMargin: Type.Number({ minimum: 0, default: 0.01, description: 'shadow: how much worse in mean loss, on the same requests, still counts as not worse; comparing arms is noisier, so canary and A/B have wider margins of their own' }),
    lossBound: Type.Number({ exclusiveMinimum: 0, default: 1, description: 'losses are clipped to [0, bound]; 1 for Brier' }),
    shadow: Type.Object({ pairsMin: PositiveCount(500), duration: Duration({ default: 'P14D', description: 'stream clock; without evidence by then it is rolled back' }), repeatShare: Share({ default: 0.05, description: 'part of the requests for which the champion is asked a second time, unheard: only where the candidate differs by more than the champion does from itself is it a difference' }) }, { ...closed, default: {} }),
    canary: Type.Object({ share: Share({ default: 0.1 }), rowsMin: PositiveCount(500), lossMargin: Type.Number({ minimum: 0, default: 0.05 }), duration: Duration({ default: 'P14D' }) }, { ...closed, default: {} }),
    ab: Type.Object({ share: Share({ default: 0.5 }), rowsMin: PositiveCount(1000), lossMargin: Type.Number({ minimum: 0, default: 0.03 }), duration: Duration({ default: 'P14D' }) }, { ...closed, default: {} }),
    guards: RolloutGuards,
    ...rolloutStrategyMembers,
  },
  { ...closed, default: {} },
);

/** A model as its owner describes it: the whole of model.yaml. Every default is filled in when it is parsed. */
export const ModelSpec = Type.Object(
  {
    apiVersion: Type.Literal('millrace/v1'),
    kind: Type.Literal('Model'),
    metadata: Type.Object({ name: Name, description: Type.Optional(Type.String()), owner: Type.Optional(Type.String()) }, closed),
    spec: Type.Object(
      {
        task: Literals(['binary', 'multiclass', 'regression']),
        stream: Name,
        features: Type.Array(FeatureSpec, { minItems: 1 }),
        label: Type.Object(
          {
            field: Type.String({ minLength: 1 }),
            positive: Type.Optional(Type.Union([Type.Boolean(), Type.String(), Type.Number()])),
            classes: Type.Optional(Type.Array(Type.String(), { minItems: 2 })),
            maximumDelay: Duration({ default: 'P7D', description: 'stream clock; a prediction without a label expires then' }),
          },
          closed,
        ),
        dataset: Dataset,
        trainer: Trainer,
        gates: Gates,
        monitoring: Monitoring,
        retraining: Retraining,
        rollout: Rollout,
        serving: Serving,
      },
      closed,
    ),
  },
  closed,
);
export type ModelSpec = Static<typeof ModelSpec>;

/** Counts by segment and season must fit into one event, and into the panes in memory; libs/core/drift makes them the coarser the more there are. */
const partCountsMax = 2_048;

function driftPartMistakes({ segments = [], segmentValuesMax = 8, reference }: ModelSpec['spec']['monitoring']['drift'], features: readonly FeatureSpec[]): { path: string; message: string }[] {
  const categories = new Set(features.filter(({ type }) => type === 'category').map(({ name }) => name));
  const mistakes = segments.flatMap((name, index) => (categories.has(name) ? [] : [{ path: `/spec/monitoring/drift/segments/${index}`, message: `${name} is not a category feature` }]));
  const buckets = reference === undefined ? 0 : { 'hour-of-day': 24, 'day-of-week': 7, 'hour-of-week': 168 }[reference.season];
  const named = segments.length * (segmentValuesMax + 1);
  const counts = (named + (1 + named) * buckets) * (features.length + 1);
  if (counts > partCountsMax) mistakes.push({ path: '/spec/monitoring/drift', message: `segments and seasons of ${features.length} features and the output make ${counts} counts, of at most ${partCountsMax}: name fewer segments, a lower segmentValuesMax or a season with fewer parts` });
  return mistakes;
}

function crossFieldMistakes(model: ModelSpec): { path: string; message: string }[] {
  const mistakes: { path: string; message: string }[] = [];
  const { task, label, features, dataset, gates, trainer } = model.spec;
  const names = new Set<string>();
  features.forEach((feature, index) => {
    if (names.has(feature.name)) mistakes.push({ path: `/spec/features/${index}/name`, message: `feature ${feature.name} is named twice` });
    if (feature.name === label.field) mistakes.push({ path: `/spec/features/${index}/name`, message: 'the label cannot be a feature' });
    names.add(feature.name);
  });
  if (task === 'multiclass' && label.classes === undefined) mistakes.push({ path: '/spec/label/classes', message: 'a multiclass model names its classes' });
  if (task === 'regression' && trainer.algorithm === 'logistic-regression') mistakes.push({ path: '/spec/trainer/algorithm', message: 'regression takes lightgbm or linear' });
  if (task !== 'regression' && trainer.algorithm === 'linear') mistakes.push({ path: '/spec/trainer/algorithm', message: 'linear is for regression; take logistic-regression' });
  if (dataset.testShare + dataset.validationShare >= 1) mistakes.push({ path: '/spec/dataset', message: 'testShare and validationShare leave nothing to train on' });
  const fits = { binary: ['auc', 'accuracy', 'log-loss', 'brier'], multiclass: ['accuracy', 'log-loss'], regression: ['mae', 'rmse', 'r2'] }[task];
  const used = [
    ...gates.metrics.map((gate, index) => ({ metric: gate.metric, path: `/spec/gates/metrics/${index}/metric` })),
    ...gates.slices.map((gate, index) => ({ metric: gate.metric, path: `/spec/gates/slices/${index}/metric` })),
    ...model.spec.monitoring.performance.map((rule, index) => ({ metric: rule.metric, path: `/spec/monitoring/performance/${index}/metric` })),
  ];
  for (const { metric, path } of used) if (!fits.includes(metric)) mistakes.push({ path, message: `${metric} is no metric of a ${task} model; it has ${fits.join(', ')}` });
  mistakes.push(...driftPartMistakes(model.spec.monitoring.drift, features));
  mistakes.push(...guardMistakes(model.spec.rollout.guards, task));
  mistakes.push(...rolloutMistakes(model.spec.rollout, new Set(features.filter(({ type }) => type === 'category').map(({ name }) => name))));
  model.spec.monitoring.fairness.forEach(({ by }, index) => {
    if (!names.has(by)) mistakes.push({ path: `/spec/monitoring/fairness/${index}/by`, message: `${by} is not a feature` });
    if (task !== 'binary') mistakes.push({ path: `/spec/monitoring/fairness/${index}`, message: `fairness is judged on binary decisions, not on a ${task} model` });
  });
  gates.slices.forEach((slice, index) => {
    if (!names.has(slice.by)) mistakes.push({ path: `/spec/gates/slices/${index}/by`, message: `${slice.by} is not a feature` });
  });
  return mistakes;
}

/** @throws MillraceError SPEC_INVALID listing every mistake with its JSON pointer. */
export function parseModelSpec(document: unknown): ModelSpec {
  const model = parse(ModelSpec, document, 'SPEC_INVALID', 'the model spec');
  const mistakes = crossFieldMistakes(model);
  if (mistakes.length === 0) return model;
  throw refusal('SPEC_INVALID', 'the model spec', mistakes);
}

/** A spec that was accepted by some release of ours: members that this release does not know are left out. @throws MillraceError SPEC_INVALID */
export function readModelSpec(document: unknown): ModelSpec {
  return parse(ModelSpec, withoutUnknown(ModelSpec, document), 'SPEC_INVALID', 'the model spec');
}

/** Reads YAML or JSON text. @throws MillraceError SPEC_INVALID with line and column of a syntax mistake. */
export function parseModelYaml(text: string): ModelSpec {
  let document: unknown;
  try {
    document = parseYaml(text);
  } catch (cause) {
    throw new MillraceError('SPEC_INVALID', `the model spec is no YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  return parseModelSpec(document);
}

