import { Injectable } from '@nestjs/common';
import type { RunCompleted, SpecChanged, StepDecided } from '@millrace/contracts';
import type { DatasetManifest } from '@millrace/core/dataset';
import { AliasStore, type AliasEntry } from './alias.store.js';
import { ArtifactVault } from './artifact.vault.js';
import { RolloutStepStore } from './rollout-step.store.js';
import { RunStore } from './run.store.js';
import { SpecStore } from './spec.store.js';
import type { StoredVersion } from './version.store.js';

/** What a version was made of, back to offsets of the log. */
export interface Lineage {
  readonly model: string;
  readonly version: string;
  readonly artifact: StoredVersion['artifact'];
  readonly specRevision: number;
  readonly specSha256: string | null;
  readonly run: Omit<RunCompleted, 'candidate'> | null;
  readonly dataset: { readonly version: string; readonly manifest: DatasetManifest | null } | null;
}

export interface ModelCard {
  readonly model: string;
  readonly version: string;
  readonly state: StoredVersion['state'];
  readonly what: { readonly task: string; readonly description: string | null; readonly owner: string | null; readonly algorithm: string | null; readonly registered: { readonly at: string; readonly by: string; readonly source: string; readonly reason: string } };
  readonly data: { readonly datasetVersion: string | null; readonly window: DatasetManifest['window'] | null; readonly labelHorizon: string | null; readonly contractVersion: string | null; readonly trainingRows: number | null; readonly archivedRows: number | null };
  readonly features: readonly { readonly name: string; readonly type: string }[];
  readonly metrics: StoredVersion['metrics'];
  readonly gate: StoredVersion['gate'];
  readonly limits: readonly string[];
  readonly lineage: Lineage;
  readonly history: { readonly aliases: readonly AliasEntry[]; readonly rollout: readonly StepDecided[] };
}

@Injectable()
export class ModelCards {
  constructor(
    private readonly specs: SpecStore,
    private readonly runs: RunStore,
    private readonly aliases: AliasStore,
    private readonly steps: RolloutStepStore,
    private readonly vault: ArtifactVault,
  ) {}

  async lineage(version: StoredVersion): Promise<Lineage> {
    const spec = await this.specs.revision(version.model, version.specRevision);
    const run = version.runId === null ? undefined : await this.runs.find(version.runId);
    return {
      model: version.model,
      version: version.version,
      artifact: version.artifact,
      specRevision: version.specRevision,
      specSha256: spec?.sha256 ?? null,
      run: run === undefined ? null : withoutCandidate(run),
      dataset: version.datasetVersion === null ? null : { version: version.datasetVersion, manifest: await this.vault.manifest(version.datasetVersion) },
    };
  }

  async card(version: StoredVersion): Promise<ModelCard> {
    const [spec, lineage] = await Promise.all([this.specs.revision(version.model, version.specRevision), this.lineage(version)]);
    const [aliases, rollout] = await Promise.all([this.aliases.historyOfVersion(version.model, version.version), this.steps.ofVersion(version.model, version.version)]);
    return {
      model: version.model,
      version: version.version,
      state: version.state,
      what: whatItIs(version, spec),
      data: whatItSaw(version, lineage.dataset?.manifest ?? null),
      features: spec?.spec.spec.features ?? [],
      metrics: version.metrics,
      gate: version.gate,
      limits: limitsOf(version, lineage),
      lineage,
      history: { aliases, rollout },
    };
  }
}

function withoutCandidate(run: RunCompleted): Omit<RunCompleted, 'candidate'> {
  const { candidate: _candidate, ...rest } = run;
  return rest;
}

function whatItIs(version: StoredVersion, spec: SpecChanged | undefined): ModelCard['what'] {
  return {
    task: version.signature.task,
    description: spec?.spec.metadata.description ?? null,
    owner: spec?.spec.metadata.owner ?? null,
    algorithm: version.source === 'manual' ? null : (spec?.spec.spec.trainer.algorithm ?? null),
    registered: { at: version.registeredAt, by: version.by, source: version.source, reason: version.reason },
  };
}

function whatItSaw(version: StoredVersion, manifest: DatasetManifest | null): ModelCard['data'] {
  return {
    datasetVersion: version.datasetVersion,
    window: manifest?.window ?? null,
    labelHorizon: manifest?.labelHorizon ?? null,
    contractVersion: manifest?.contractVersion ?? null,
    trainingRows: version.reference?.rows ?? null,
    archivedRows: manifest === null ? null : manifest.segments.filter(({ kind }) => kind === 'record').reduce((sum, { rows }) => sum + rows, 0),
  };
}

/** Sentences that follow from the facts of the version; an empty list would claim that there are no limits. */
function limitsOf(version: StoredVersion, lineage: Lineage): string[] {
  const limits: string[] = [];
  if (version.state === 'corrupt') limits.push('Its artifact is missing or damaged: it must not be served.');
  if (version.source === 'manual') limits.push('It was registered by hand: the platform knows neither its data nor its training, and no gate has judged it.');
  if (version.reference === null) limits.push('It has no reference profile: drift of its inputs cannot be judged.');
  if (version.metrics.length === 0) limits.push('It has no measured metrics.');
  const window = lineage.dataset?.manifest?.window;
  if (window !== undefined) limits.push(`It knows the stream ${window.from === null ? '' : `from ${window.from} `}to ${window.to} and nothing later.`);
  const small = version.metrics.filter(({ slice, n }) => slice !== 'overall' && n < 100).map(({ slice }) => slice);
  if (small.length > 0) limits.push(`Fewer than 100 test rows stand behind its figures for ${[...new Set(small)].sort().join(', ')}.`);
  for (const { rule, slice, outcome } of version.gate.checks) if (outcome === 'inconclusive') limits.push(`The gate ${rule} on ${slice} was inconclusive.`);
  return limits;
}
