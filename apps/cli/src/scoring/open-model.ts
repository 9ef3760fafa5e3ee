import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MillraceError, parseServingFile, type ModelSignature, type ServingFile } from '@millrace/contracts';
import { deriveSignature, featureLayoutOf, type FeatureLayout } from '@millrace/core/inference';
import type { LoadedModel } from '@millrace/model-runtime';
import { call, download } from '../services.js';

export interface OpenModel {
  /** What it is called in messages. */
  readonly name: string;
  readonly sha256: string;
  readonly bytes: Uint8Array;
  readonly model: LoadedModel;
  readonly layout: FeatureLayout;
  readonly signature: ModelSignature;
}

interface FoundModel {
  readonly name: string;
  readonly bytes: Buffer;
  readonly file: ServingFile;
  readonly signature: ModelSignature | null;
}

interface RegisteredVersion {
  readonly version: string;
  readonly artifact: { readonly sha256: string };
  readonly signature: ModelSignature;
}

/** `model.onnx` in a folder, or of the newest version below it. */
function fileIn(path: string): string {
  if (statSync(path).isFile()) return path;
  if (existsSync(join(path, 'model.onnx'))) return join(path, 'model.onnx');
  const versions = readdirSync(path).filter((name) => existsSync(join(path, name, 'model.onnx'))).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const newest = versions.at(-1);
  if (newest === undefined) throw new MillraceError('REQUEST_INVALID', `${path} holds no model.onnx, nor does a folder in it`);
  return join(path, newest, 'model.onnx');
}

function fromDisk(path: string): FoundModel {
  const file = fileIn(path);
  const beside = [join(dirname(file), 'model.yaml'), join(dirname(file), '..', 'model.yaml')].find((each) => existsSync(each));
  return { name: file, bytes: readFileSync(file), file: beside === undefined ? {} : parseServingFile(readFileSync(beside, 'utf8'), beside), signature: null };
}

async function fromRegistry(reference: string): Promise<FoundModel> {
  const [model = '', wanted = 'champion'] = reference.split('@');
  const path = `/v1/models/${encodeURIComponent(model)}`;
  const { aliases } = await call<{ aliases: Record<string, string | null> }>('model-registry', 'GET', path);
  const version = Object.hasOwn(aliases, wanted) ? aliases[wanted] : wanted;
  if (version === null || version === undefined) throw new MillraceError('ALIAS_UNKNOWN', `${model} has no ${wanted} yet`);
  const registered = await call<RegisteredVersion>('model-registry', 'GET', `${path}/versions/${encodeURIComponent(version)}`);
  const bytes = await download('model-registry', `/v1/artifacts/${registered.artifact.sha256}`);
  return { name: `${model}@${version}`, bytes, file: {}, signature: registered.signature };
}

/**
 * @param reference a path to a file or a folder, or `model[@version|alias]` of the ring (default alias: champion).
 * @throws MillraceError MODEL_UNKNOWN, VERSION_UNKNOWN, ALIAS_UNKNOWN, MODEL_LOAD_FAILED, TENSOR_INVALID when it takes no named features.
 */
export async function openModel(reference: string): Promise<OpenModel> {
  const found = existsSync(reference) ? fromDisk(reference) : await fromRegistry(reference);
  const { OnnxModelRuntime } = await import('@millrace/model-runtime');
  const model = await new OnnxModelRuntime().load(found.bytes);
  const layout = featureLayoutOf(model.inputs, found.file.features);
  const signature = found.signature ?? deriveSignature(model.inputs, model.outputs, found.file);
  if (layout === null || signature === null) throw new MillraceError('TENSOR_INVALID', `${found.name} takes no named features, or what its outputs mean is not known; say task, classes and features in a model.yaml beside it`);
  return { name: found.name, sha256: createHash('sha256').update(found.bytes).digest('hex'), bytes: found.bytes, model, layout, signature };
}
