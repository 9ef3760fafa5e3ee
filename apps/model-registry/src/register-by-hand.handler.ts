import { Injectable } from '@nestjs/common';
import { Type, type Static } from '@sinclair/typebox';
import { DataSource } from 'typeorm';
import { Metric, MillraceError, ModelSignature, Sha256, versionRegistered, type Mistake, type ModelSpec } from '@millrace/contracts';
import { Messaging } from '@millrace/messaging';
import { inTransaction } from '@millrace/persistence';
import { ArtifactVault } from './artifact.vault.js';
import { registryMetrics } from './model-registry.metrics.js';
import { SpecStore } from './spec.store.js';
import { registrationOf, VersionStore, type StoredVersion } from './version.store.js';

export const ManualRegistration = Type.Object({
  artifactSha256: Sha256,
  signature: ModelSignature,
  metrics: Type.Array(Metric, { default: [] }),
  reason: Type.String({ minLength: 1, maxLength: 1_000 }),
  by: Type.String({ minLength: 1, maxLength: 200 }),
});
export type ManualRegistration = Static<typeof ManualRegistration>;

@Injectable()
export class RegisterByHandHandler {
  constructor(
    private readonly database: DataSource,
    private readonly messaging: Messaging,
    private readonly vault: ArtifactVault,
    private readonly specs: SpecStore,
    private readonly versions: VersionStore,
  ) {}

  /** @throws MillraceError MODEL_UNKNOWN, ARTIFACT_MISSING, ARTIFACT_CORRUPT, or REQUEST_INVALID when the signature does not fit the spec. */
  async handle(model: string, request: ManualRegistration): Promise<StoredVersion> {
    const spec = await this.specs.current(model);
    if (spec === undefined) throw new MillraceError('MODEL_UNKNOWN', `no model is called ${model}`);
    refuseMisfit(request.signature, spec.spec);
    const bytes = await this.vault.read(request.artifactSha256);
    const version = await inTransaction(this.database, async (transaction) => {
      const added: StoredVersion = {
        model,
        version: await this.versions.nextVersion(transaction, model),
        state: 'registered',
        source: 'manual',
        runId: null,
        datasetVersion: null,
        specRevision: spec.revision,
        artifact: { sha256: request.artifactSha256, sizeBytes: bytes.byteLength },
        signature: request.signature,
        metrics: request.metrics,
        gate: { outcome: 'inconclusive', checks: [] },
        reference: null,
        by: request.by,
        reason: `registered by hand: ${request.reason}`,
        registeredAt: this.messaging.now().toISOString(),
      };
      added.gate.checks.push({ rule: 'manual', slice: 'overall', outcome: 'inconclusive', value: null, threshold: null, n: 0, reason: `registered by hand by ${request.by}; no gate has judged it` });
      await this.versions.add(transaction, added);
      const id = `version-registered:${model}:${added.version}`;
      await this.messaging.enqueue(transaction, [this.messaging.encode(versionRegistered, registrationOf(added), { key: model, id })]);
      return added;
    });
    this.messaging.wakeOutbox();
    registryMetrics.versions.inc({ model, source: 'manual' });
    return version;
  }
}

/** A version is served with the spec’s features: a file that wants others could never answer. */
function refuseMisfit(signature: ModelSignature, { spec }: ModelSpec): void {
  const mistakes: Mistake[] = [];
  if (signature.task !== spec.task) mistakes.push({ path: '/signature/task', message: `the model is a ${spec.task} model` });
  const inputs = new Map(signature.inputs.map(({ name, datatype }) => [name, datatype]));
  for (const { name, type } of spec.features) {
    const wanted = type === 'number' ? 'FP32' : 'BYTES';
    if (inputs.get(name) !== wanted) mistakes.push({ path: '/signature/inputs', message: `the feature ${name} needs an input of datatype ${wanted}` });
    inputs.delete(name);
  }
  for (const name of inputs.keys()) mistakes.push({ path: '/signature/inputs', message: `${name} is no feature of the spec` });
  if (mistakes.length === 0) return;
  const list = mistakes.map(({ path, message }) => `${path}: ${message}`).join('; ');
  throw new MillraceError('REQUEST_INVALID', `the signature does not fit the spec: ${list}`, { mistakes });
}
