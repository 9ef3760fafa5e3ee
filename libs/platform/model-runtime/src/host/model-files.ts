import { MillraceError } from '@millrace/contracts';
import { mkdtempSync } from 'node:fs';
import { open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelSource } from './served-model.js';

// Protobuf, and with it an ONNX file, ends at 2 GiB; larger weights lie in files of their own beside it.
const fileBytesMax = 2 ** 31 - 1;

const refused = (message: string, cause?: unknown): MillraceError => new MillraceError('MODEL_LOAD_FAILED', message, cause === undefined ? {} : { cause });

function checkSize(size: number): void {
  if (size === 0) throw refused('the model file is empty. Was its upload or download finished?');
  if (size > fileBytesMax) throw refused(`the model file has ${size} bytes; an ONNX file has at most ${fileBytesMax}. Export large weights as external data.`);
}

/** Where workers load a model from. */
export class ModelFile {
  constructor(readonly path: string, private readonly mark: string, private readonly own: boolean) {}

  /** @throws MillraceError MODEL_LOAD_FAILED when the file is not the one that was loaded first: a replacement must be the same model. */
  async check(): Promise<void> {
    if ((await markOf(this.path)) !== this.mark) throw refused(`the file ${this.path} has changed since the model was loaded; load it as a new version`);
  }

  async drop(): Promise<void> {
    if (this.own) await rm(this.path, { force: true });
  }
}

async function markOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return `${size} ${mtimeMs} ${ino}`;
  } catch (cause) {
    throw refused(`the model file ${path} cannot be read`, cause);
  }
}

/** Keeps model files for workers in a folder of its own, which the process guard removes with the process. */
export class ModelFiles {
  readonly folder = mkdtempSync(join(tmpdir(), `millrace-models-${process.pid}-`));
  #count = 0;

  async keep({ bytes, path }: ModelSource): Promise<ModelFile> {
    if (bytes !== undefined && path === undefined) return this.#write(bytes);
    if (path === undefined || bytes !== undefined) throw refused('a model comes either as bytes or as a path');
    const size = await this.#sizeOf(path);
    checkSize(size);
    return new ModelFile(path, await markOf(path), false);
  }

  async #write(bytes: Uint8Array): Promise<ModelFile> {
    checkSize(bytes.length);
    const path = join(this.folder, `${(this.#count += 1)}.onnx`);
    try {
      await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
    } catch (cause) {
      throw refused(`the model file could not be kept for its worker in ${this.folder}`, cause);
    }
    return new ModelFile(path, await markOf(path), true);
  }

  async #sizeOf(path: string): Promise<number> {
    try {
      const file = await open(path, 'r');
      try {
        const facts = await file.stat();
        if (!facts.isFile()) throw refused(`${path} is no file`);
        return facts.size;
      } finally {
        await file.close();
      }
    } catch (cause) {
      if (cause instanceof MillraceError) throw cause;
      throw refused(`the model file ${path} cannot be read`, cause);
    }
  }
}
