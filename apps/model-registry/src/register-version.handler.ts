import { Injectable } from '@nestjs/common';
import { versionRegistered, type RunCompleted } from '@millrace/contracts';
import { Messaging, type OutgoingMessage, type Received } from '@millrace/messaging';
import type { Transaction } from '@millrace/persistence';
import { ArtifactVault } from './artifact.vault.js';
import { registryMetrics } from './model-registry.metrics.js';
import { RunStore } from './run.store.js';
import { registrationOf, VersionStore, type StoredVersion } from './version.store.js';

/** A succeeded run becomes the next version of its model; every run is kept for lineage. */
@Injectable()
export class RegisterVersionHandler {
  constructor(
    private readonly messaging: Messaging,
    private readonly vault: ArtifactVault,
    private readonly runs: RunStore,
    private readonly versions: VersionStore,
  ) {}

  async handle(events: readonly Received<RunCompleted>[], transaction: Transaction): Promise<OutgoingMessage[]> {
    const messages: OutgoingMessage[] = [];
    for (const { data: run, traceparent } of events) {
      if (!(await this.runs.add(transaction, run))) continue;
      registryMetrics.runs.inc({ model: run.model, outcome: run.outcome });
      if (run.outcome !== 'succeeded' || run.candidate === null) continue;
      const version = await this.register(run, run.candidate, transaction);
      // A version whose file is damaged is kept and shown, but the ring never hears of it: nobody could load it.
      if (version.state === 'registered') messages.push(this.messaging.encode(versionRegistered, registrationOf(version), { key: run.model, id: `version-registered:${run.model}:${version.version}`, traceparent }));
    }
    return messages;
  }

  private async register(run: RunCompleted, candidate: NonNullable<RunCompleted['candidate']>, transaction: Transaction): Promise<StoredVersion> {
    const intact = await this.vault.isIntact(candidate.artifact.sha256);
    const version: StoredVersion = {
      model: run.model,
      version: await this.versions.nextVersion(transaction, run.model),
      state: intact ? 'registered' : 'corrupt',
      source: 'pipeline',
      runId: run.runId,
      datasetVersion: run.datasetVersion,
      specRevision: run.specRevision,
      ...candidate,
      by: 'training-orchestrator',
      reason: intact ? run.reason : `${run.reason}; its artifact is missing or damaged`,
      registeredAt: this.messaging.now().toISOString(),
    };
    await this.versions.add(transaction, version);
    registryMetrics.versions.inc({ model: run.model, source: 'pipeline' });
    return version;
  }
}
