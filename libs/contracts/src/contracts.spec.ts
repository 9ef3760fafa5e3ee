/**
 * Goal: the contracts room keeps its word: every event has examples that its schema judges rightly, every topic has a
 * writer and a reader, what was released stays as it was, a spec’s mistakes are all found.
 * Method: example files written by hand; schema hashes frozen in schemas.frozen.json (raise the topic’s major version
 * instead of changing a released schema; a new optional member is the one change allowed, by editing the frozen hash).
 */
import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { canonicalJson, sha256Hex } from './canonical-json.js';
import { errorCatalogue, MillraceError } from './errors.js';
import { eventCatalogue } from './event-catalogue.js';
import { specChanged } from './events/models.js';
import { matches, mistakesOf } from './schema.js';
import { parseModelSpec, parseModelYaml } from './spec/model-spec.js';
import { topicNames, topics } from './topics.js';

interface Examples {
  readonly valid: unknown[];
  readonly invalid: { why: string; at: string; data: unknown }[];
}
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
const examplesOf = (topic: string): Examples => JSON.parse(read(`../examples/${topic}.json`)) as Examples;
const frozen = JSON.parse(read('../schemas.frozen.json')) as Record<string, string>;

describe.each(topicNames)('%s', (topic) => {
  const { schema, type } = eventCatalogue[topic];
  const examples = examplesOf(topic);

  it('is the event of its topic, with a reader who is not its only writer', () => {
    expect(type).toBe(topic);
    expect(topics[topic].readBy.length).toBeGreaterThan(0);
    expect(topic).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)+\.v[1-9]\d*$/);
  });

  it('accepts its valid examples', () => {
    expect(examples.valid.length).toBeGreaterThan(0);
    for (const data of examples.valid) expect(mistakesOf(schema, data)).toEqual([]);
  });

  it.each(examples.invalid)('refuses: $why', ({ at, data }) => {
    expect(matches(schema, data)).toBe(false);
    expect(mistakesOf(schema, data).map(({ path }) => path)).toEqual(expect.arrayContaining([expect.stringMatching(new RegExp(`^${at}`))]));
  });

  it('is what was released', () => {
    expect(sha256Hex(canonicalJson(JSON.parse(JSON.stringify(schema))))).toBe(frozen[topic]);
  });
});

describe('the error catalogue', () => {
  it('gives each code a status, and a server’s fault is never a client’s', () => {
    for (const [code, { http, meaning, retryable }] of Object.entries(errorCatalogue)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)+$|^INTERNAL$/);
      expect(http).toBeGreaterThanOrEqual(400);
      expect(meaning.endsWith('.')).toBe(true);
      if (retryable) expect(http).toBeGreaterThanOrEqual(500);
    }
  });
});

describe('model.yaml', () => {
  const minimal = `
apiVersion: millrace/v1
kind: Model
metadata: { name: flight-delays }
spec:
  task: binary
  stream: flights
  features: [{ name: distance, type: number }]
  label: { field: late, positive: true }
  trainer: { name: tabular, algorithm: lightgbm }
`;

  it('fills in every default', () => {
    const model = parseModelYaml(minimal);
    expect(model.spec.retraining.budget).toEqual({ runs: 10, per: 'P30D' });
    expect(model.spec.rollout.canary).toEqual({ share: 0.1, rowsMin: 500, lossMargin: 0.05, duration: 'P14D' });
    expect(model.spec.trainer.seed).toBe(42);
    expect(parseModelSpec(JSON.parse(JSON.stringify(model)))).toEqual(model);
  });

  it.each([
    { name: 'unknown field', text: minimal.replace('task:', 'tsak: x\n  task:'), at: '/spec/tsak' },
    { name: 'unknown task', text: minimal.replace('binary', 'guessing'), at: '/spec/task' },
    { name: 'feature named twice', text: minimal.replace('[{', '[{ name: distance, type: number }, {'), at: '/spec/features/1/name' },
    { name: 'label among the features', text: minimal.replace('name: distance', 'name: late'), at: '/spec/features/0/name' },
    { name: 'metric of another task', text: `${minimal}  gates: { metrics: [{ metric: rmse, maximum: 1 }] }\n`, at: '/spec/gates/metrics/0/metric' },
    { name: 'no duration', text: `${minimal}  monitoring: { window: a week }\n`, at: '/spec/monitoring/window' },
    { name: 'slice over no feature', text: `${minimal}  gates: { slices: [{ by: planet, metric: auc, minimum: 0.5 }] }\n`, at: '/spec/gates/slices/0/by' },
    { name: 'roll-out step of no type', text: `${minimal}  rollout: { steps: [{ type: teleport }] }\n`, at: '/spec/rollout/steps/0/type' },
    { name: 'strategy and steps', text: `${minimal}  rollout: { strategy: fast, steps: [{ type: ab }] }\n`, at: '/spec/rollout/steps' },
    { name: 'no steps', text: `${minimal}  rollout: { steps: [] }\n`, at: '/spec/rollout/steps' },
    { name: 'a share in shadow', text: `${minimal}  rollout: { steps: [{ type: shadow, share: 0.1 }] }\n`, at: '/spec/rollout/steps/0/share' },
    { name: 'a canary of everybody', text: `${minimal}  rollout: { steps: [{ type: canary, share: 1 }] }\n`, at: '/spec/rollout/steps/0/share' },
    { name: 'a ramp downwards', text: `${minimal}  rollout: { steps: [{ type: linear, from: 0.5, to: 0.2 }] }\n`, at: '/spec/rollout/steps/0/to' },
    { name: 'a ramp without end', text: `${minimal}  rollout: { steps: [{ type: linear, by: 0 }] }\n`, at: '/spec/rollout/steps/0/by' },
    { name: 'a share that falls', text: `${minimal}  rollout: { steps: [{ type: ab, share: 0.5 }, { type: canary, share: 0.1 }] }\n`, at: '/spec/rollout/steps/1/share' },
    { name: 'shadow after canary', text: `${minimal}  rollout: { steps: [{ type: canary, share: 0.1 }, { type: shadow }] }\n`, at: '/spec/rollout/steps/1' },
    { name: 'a step after blue-green', text: `${minimal}  rollout: { steps: [{ type: blue-green }, { type: ab }] }\n`, at: '/spec/rollout/steps/0' },
    { name: 'better or not', text: `${minimal}  rollout: { steps: [{ type: ab, require: better, onTimeout: go-on }] }\n`, at: '/spec/rollout/steps/0/onTimeout' },
    { name: 'a soak longer than its step', text: `${minimal}  rollout: { steps: [{ type: ab, soak: P9D, duration: P1W }] }\n`, at: '/spec/rollout/steps/0/soak' },
    { name: 'a ramp longer than its step', text: `${minimal}  rollout: { steps: [{ type: linear, from: 0.1, by: 0.1, to: 0.5, every: P2D, duration: P1W }] }\n`, at: '/spec/rollout/steps/0/duration' },
    { name: 'a slice of numbers', text: `${minimal}  rollout: { slices: [distance] }\n`, at: '/spec/rollout/slices/0' },
    { name: 'a slice twice', text: `${minimal.replace('[{', '[{ name: carrier, type: category }, {')}  rollout: { slices: [carrier, carrier] }\n`, at: '/spec/rollout/slices/1' },
    { name: 'a segment of numbers', text: `${minimal}  monitoring: { drift: { segments: [distance] } }
`, at: '/spec/monitoring/drift/segments/0' },
    { name: 'a season of no name', text: `${minimal}  monitoring: { drift: { reference: { season: full-moon } } }
`, at: '/spec/monitoring/drift/reference/season' },
    { name: 'more parts than fit', text: `${minimal.replace('[{', '[{ name: carrier, type: category }, {')}  monitoring: { drift: { segments: [carrier], reference: { season: hour-of-week } } }
`, at: '/spec/monitoring/drift' },
    { name: 'nothing of alpha left', text: `${minimal}  rollout: { guards: { alphaShare: 0.95 } }\n`, at: '/spec/rollout/guards/alphaShare' },
  ])('$name: SPEC_INVALID at $at', ({ text, at }) => {
    expect.assertions(2);
    try {
      parseModelYaml(text);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      expect(error.code).toBe('SPEC_INVALID');
      expect(error.details.mistakes?.map(({ path }) => path)).toContain(at);
    }
  });

  it('says where YAML breaks', () => {
    expect(() => parseModelYaml('spec: [')).toThrow(/line 1/);
  });
});

describe('canonical JSON', () => {
  it.each([
    { value: { b: 1, a: [2, { d: undefined, c: null }] }, text: '{"a":[2,{"c":null}],"b":1}' },
    { value: { '\u20ac': 1, '\r': 2, '1': 3 }, text: '{"\\r":2,"1":3,"€":1}' },
    { value: [1e21, 1e-7, -0, 0.1], text: '[1e+21,1e-7,0,0.1]' },
  ])('$text', ({ value, text }) => expect(canonicalJson(value)).toBe(text));

  it('refuses what JSON cannot hold', () => expect(() => canonicalJson({ x: Number.NaN })).toThrow(TypeError));

  it('hashes as SHA-256 does (FIPS 180-4 example "abc")', () => {
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});

describe('a spec in the log outlives the release that wrote it', () => {
  const [example] = (JSON.parse(read('../examples/registry.spec-changed.v1.json')) as { valid: Parameters<NonNullable<typeof specChanged.read>>[0][] }).valid;
  const readSpec = (spec: object): unknown => specChanged.read?.({ ...example, spec } as never).spec;

  it('gets defaults for what its writer did not know, and loses what its reader does not know', () => {
    const written = { ...example?.spec, spec: { ...example?.spec.spec, novelty: { level: 9 } } };
    expect(readSpec(written)).toMatchObject({ spec: { serving: { batching: {}, limits: {} } } });
    expect(JSON.stringify(readSpec(written))).not.toContain('novelty');
  });

  it('is refused when it is none', () => {
    expect(() => readSpec({ kind: 'Model' })).toThrow(expect.objectContaining({ code: 'SPEC_INVALID' }));
  });
});
