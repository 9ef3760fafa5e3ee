import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError, type Serving } from '@millrace/contracts';
import { deriveSignature } from '@millrace/core/inference';
import type { ModelHost } from '@millrace/model-runtime';
import { limitsOf } from '../data-plane/limits.js';
import type { Log } from '../data-plane/log.js';
import type { KnownModel, KnownModels } from '../data-plane/model-directory.js';
import type { Repository, RepositoryEntry } from '../data-plane/repository.js';
import type { RouteBook } from '../data-plane/route-book.js';
import { ServingVersion, type VersionLoader, type VersionTarget } from '../data-plane/serving-version.js';
import { readServingFile } from './serving-file.js';
import { compareVersions, isVersion } from './version-order.js';

const modelFile = 'model.onnx';

interface FoundVersion extends VersionTarget {
  readonly path: string;
}

/**
 * Models in a folder, `<name>/<version>/model.onnx`: the newest version that loads is the default, each may be asked by
 * name. A version that does not load takes nothing away from the others; the index says why.
 */
export class ModelFolder implements KnownModels, Repository {
  /** Hands the route book the versions that were loaded for its next route. */
  readonly loader: VersionLoader<VersionTarget> = { load: (model, target) => this.take(model, target) };
  private readonly entries = new Map<string, RepositoryEntry[]>();
  /** Loaded for the next route, by model and version; the route book takes them from here. */
  private readonly loaded = new Map<string, ServingVersion>();
  private readonly refusedFiles = new Map<string, string>();
  /** By model and version, of those whose model.yaml says something. */
  private readonly servings = new Map<string, Serving>();
  private revision = 0;
  private routes: RouteBook<VersionTarget> | undefined;

  constructor(
    private readonly folder: string,
    private readonly host: ModelHost,
    readonly controlled: boolean,
    private readonly log: Log,
  ) {}

  /** Puts every model of the folder into service. @throws MillraceError CONFIG_INVALID when the folder holds none. */
  async open(routes: RouteBook<VersionTarget>): Promise<void> {
    this.routes = routes;
    const names = this.names();
    if (names.length === 0) throw new MillraceError('CONFIG_INVALID', `${this.folder} holds no models; expected <name>/<version>/${modelFile}, such as iris/1/${modelFile}`);
    await Promise.all(names.map((name) => this.sync(name)));
  }

  /** Takes in what has changed in the folder since the last look; models unloaded by a call stay so. */
  async look(): Promise<void> {
    const unloaded = (name: string): boolean => this.entries.get(name)?.every(({ reason }) => reason === 'unloaded') === true;
    await Promise.all(this.names().filter((name) => !unloaded(name)).map((name) => this.sync(name)));
  }

  all(): KnownModel[] {
    return [...this.entries.keys()].flatMap((model) => this.get(model) ?? []);
  }

  get(model: string): KnownModel | undefined {
    const entries = this.entries.get(model);
    if (entries === undefined) return undefined;
    const [first] = entries.filter(({ state }) => state !== 'READY');
    const serving = this.servings.get(`${model}/${this.routes?.get(model)?.champion.version ?? ''}`);
    return { model, revision: 0, featureNames: [], ...(serving === undefined ? {} : { serving }), ...(first === undefined || entries.some(({ state }) => state === 'READY') ? {} : { problem: first.reason }) };
  }

  index(): readonly RepositoryEntry[] {
    return [...this.entries.values()].flat();
  }

  async load(model: string, parameters: Readonly<Record<string, unknown>>): Promise<void> {
    const given = Object.keys(parameters);
    if (given.length > 0) throw new MillraceError('REQUEST_INVALID', `models are loaded from the folder of this server; the parameter ${given[0]} is not supported`);
    this.requireFolder(model);
    await this.sync(model);
    const failed = this.entries.get(model)?.find(({ state }) => state !== 'READY');
    if (this.routes?.get(model) === undefined || failed !== undefined) throw new MillraceError('MODEL_LOAD_FAILED', `failed to load '${model}'${failed?.version === undefined ? '' : ` version ${failed.version}`}: ${failed?.reason ?? 'no version of it can be served'}`);
  }

  async unload(model: string): Promise<void> {
    const entries = this.entries.get(model);
    if (entries === undefined) throw new MillraceError('MODEL_UNKNOWN', `Request for unknown model: '${model}' is not found`);
    this.entries.set(model, entries.map((entry) => ({ ...entry, state: 'UNAVAILABLE', reason: 'unloaded' })));
    await this.routes?.drop(model);
  }

  private names(): string[] {
    return readdirSync(this.folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith('.')).map(({ name }) => name).filter((name) => this.versionsOf(name).length > 0).sort();
  }

  private requireFolder(model: string): void {
    const named = model !== '' && !/[/\\\0]/u.test(model) && model !== '.' && model !== '..';
    if (!named || !existsSync(join(this.folder, model))) throw new MillraceError('MODEL_UNKNOWN', `failed to load '${model}': there is no such folder of models`);
  }

  private versionsOf(name: string): FoundVersion[] {
    const found: FoundVersion[] = [];
    for (const version of readdirSync(join(this.folder, name))) {
      const path = join(this.folder, name, version, modelFile);
      const stats = isVersion(version) ? statSync(path, { throwIfNoEntry: false }) : undefined;
      if (stats?.isFile() === true) found.push({ version, path, identity: `${path}:${stats.size}:${stats.mtimeMs}` });
    }
    return found.sort((a, b) => compareVersions(b.version, a.version));
  }

  /** Loads what is new, then announces one route: the newest version that stands answers, the others on request. */
  private async sync(name: string): Promise<void> {
    const { routes } = this;
    if (routes === undefined) return;
    const found = this.versionsOf(name);
    const tried = await Promise.all(found.map((version) => this.tryVersion(name, version, routes)));
    this.entries.set(name, tried.map(({ entry }) => entry));
    const standing = tried.flatMap(({ target }) => (target === null ? [] : [target]));
    const [champion, ...others] = standing;
    if (champion === undefined) {
      await routes.drop(name);
      return;
    }
    this.revision += 1;
    await routes.follow({ model: name, revision: this.revision, phase: 'full', salt: name, champion, candidate: null, previous: others[0] ?? null, others });
  }

  private async tryVersion(name: string, found: FoundVersion, routes: RouteBook<VersionTarget>): Promise<{ entry: RepositoryEntry; target: VersionTarget | null }> {
    const target: VersionTarget = { version: found.version, identity: found.identity };
    const ready = { entry: { name, version: found.version, state: 'READY', reason: '' } as const, target };
    if (routes.get(name)?.versions.get(found.version)?.identity === found.identity) return ready;
    const known = this.refusedFiles.get(found.identity);
    try {
      if (known !== undefined) throw new MillraceError('MODEL_LOAD_FAILED', known);
      this.loaded.set(`${name}/${found.version}`, await this.openVersion(name, found));
      return ready;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (known === undefined) this.log.warn({ model: name, version: found.version }, `${name} version ${found.version} is not served: ${reason}`);
      if (error instanceof MillraceError && !error.retryable) this.refusedFiles.set(found.identity, reason);
      return { entry: { name, version: found.version, state: 'UNAVAILABLE', reason }, target: null };
    }
  }

  private async openVersion(name: string, found: FoundVersion): Promise<ServingVersion> {
    const file = readServingFile([join(this.folder, name, found.version, 'model.yaml'), join(this.folder, name, 'model.yaml')]);
    const { limits, deadlineMs } = limitsOf(file.serving);
    if (file.serving === undefined) this.servings.delete(`${name}/${found.version}`);
    else this.servings.set(`${name}/${found.version}`, file.serving);
    const model = await this.host.load({ path: found.path }, { limits, name: `${name}@${found.version}` });
    return new ServingVersion(found, { signature: deriveSignature(model.inputs, model.outputs, file), featureNames: file.features, limits, deadlineMs }, model, () => readFile(found.path));
  }

  private async take(model: string, target: VersionTarget): Promise<ServingVersion> {
    const key = `${model}/${target.version}`;
    const version = this.loaded.get(key);
    if (version === undefined || version.identity !== target.identity) throw new MillraceError('MODEL_LOAD_FAILED', `version ${target.version} of ${model} has changed while it was loaded; it is tried again`);
    this.loaded.delete(key);
    return version;
  }
}
