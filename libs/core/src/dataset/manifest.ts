import { canonicalJson, sha256Hex } from '@millrace/contracts';

/** A sealed range of offsets, [fromOffset, toOffset), with the hash over its canonical record bytes. */
export interface ManifestSegment {
  readonly kind: 'record' | 'label';
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  readonly toOffset: number;
  readonly rows: number;
  readonly sha256: string;
}

/** Everything that decides which rows a model was trained on, and nothing else. */
export interface DatasetManifest {
  readonly formatVersion: 1;
  readonly stream: string;
  readonly contractVersion: string;
  readonly segments: readonly ManifestSegment[];
  /** Labels whose event time is later were not known yet. ISO 8601. */
  readonly labelHorizon: string;
  /** Records outside [from, to) are left out. `from: null` is the beginning. */
  readonly window: { readonly from: string | null; readonly to: string };
  readonly features: readonly { readonly name: string; readonly type: string }[];
  readonly label: { readonly field: string; readonly positive?: boolean | string | number };
  readonly split: { readonly by: 'event-time'; readonly testShare: number; readonly validationShare: number };
}

const bySegment = (a: ManifestSegment, b: ManifestSegment): number =>
  a.kind !== b.kind ? (a.kind < b.kind ? -1 : 1) : a.topic !== b.topic ? (a.topic < b.topic ? -1 : 1) : a.partition - b.partition || a.fromOffset - b.fromOffset;

/**
 * Segments in canonical order, so that the order in which they were learnt of does not matter, and without whatever else
 * a caller’s rows carry (object keys, times): that would give the same data another name.
 */
export function canonicalManifest(manifest: DatasetManifest): DatasetManifest {
  const { formatVersion, stream, contractVersion, labelHorizon, window, features, label, split } = manifest;
  const segments = [...manifest.segments].sort(bySegment).map(({ kind, topic, partition, fromOffset, toOffset, rows, sha256 }) => ({ kind, topic, partition, fromOffset, toOffset, rows, sha256 }));
  return { formatVersion, stream, contractVersion, segments, labelHorizon, window, features: features.map(({ name, type }) => ({ name, type })), label, split };
}

/** Dataset version: SHA-256 of the canonical JSON of the canonical manifest, 64 hexadecimal characters. */
export function datasetVersionOf(manifest: DatasetManifest): string {
  return sha256Hex(canonicalJson(canonicalManifest(manifest)));
}

/** Bytes of one record as they enter a segment’s hash. */
export function canonicalRecordLine(record: { readonly recordId: string; readonly eventTime: string; readonly value: unknown }): string {
  const { recordId, eventTime, value } = record;
  return `${canonicalJson({ recordId, eventTime, value })}\n`;
}
