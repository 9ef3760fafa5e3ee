import { Inject, Injectable } from '@nestjs/common';
import { MillraceError, sha256Hex } from '@millrace/contracts';
import type { DatasetManifest } from '@millrace/core/dataset';
import type { ArtifactStore, StoredArtifact } from '@millrace/storage';
import { registryMetrics } from './model-registry.metrics.js';
import { VersionStore } from './version.store.js';

export const ARTIFACTS = Symbol('artifacts');

/** Artifacts as the registry answers for them: bytes leave only when they match their SHA-256, and damage is written down. */
@Injectable()
export class ArtifactVault {
  constructor(
    @Inject(ARTIFACTS) private readonly artifacts: ArtifactStore,
    private readonly versions: VersionStore,
  ) {}

  /** @throws MillraceError REQUEST_INVALID when the bytes do not hash to `sha256`; nothing is stored then. */
  async store(sha256: string, bytes: Uint8Array): Promise<StoredArtifact> {
    const actual = sha256Hex(bytes);
    if (actual !== sha256) throw new MillraceError('REQUEST_INVALID', `the ${bytes.byteLength} bytes have SHA-256 ${actual}, not ${sha256}; nothing was stored`);
    return this.artifacts.put(bytes);
  }

  /** @throws MillraceError ARTIFACT_MISSING, or ARTIFACT_CORRUPT after marking every version that points at it. */
  async read(sha256: string): Promise<Buffer> {
    try {
      return await this.artifacts.get(sha256);
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'ARTIFACT_CORRUPT') {
        registryMetrics.artifactsRefused.inc();
        await this.versions.markCorrupt(sha256);
      }
      throw error;
    }
  }

  async isIntact(sha256: string): Promise<boolean> {
    try {
      await this.read(sha256);
      return true;
    } catch (error) {
      if (error instanceof MillraceError && !error.retryable) return false;
      throw error;
    }
  }

  /** A dataset version is the hash of its manifest, so the manifest is the artifact of that name; null when it is not kept. */
  async manifest(datasetVersion: string): Promise<DatasetManifest | null> {
    if (!(await this.isIntact(datasetVersion))) return null;
    return JSON.parse((await this.artifacts.get(datasetVersion)).toString('utf8')) as DatasetManifest;
  }
}
