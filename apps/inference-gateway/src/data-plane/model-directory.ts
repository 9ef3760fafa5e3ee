import { MillraceError, type Fallback, type Serving } from '@millrace/contracts';
import type { LiveRoute, LiveRoutes } from './route-book.js';
import type { ServingVersion } from './serving-version.js';

/** What a source of models knows beyond the routes in force. */
export interface KnownModel {
  readonly model: string;
  /** Changes when `featureNames` change. */
  readonly revision: number;
  /** Features that callers may send although no version in service takes them (yet, or any more). */
  readonly featureNames: readonly string[];
  readonly serving?: Serving;
  /** Why no version of it can be served, where its source knows. */
  readonly problem?: string;
}

export interface KnownModels {
  all(): readonly KnownModel[];
  get(model: string): KnownModel | undefined;
}

/** What is known about models here: what their source says, and the routes in force. */
export class ModelDirectory {
  /** Of a route and a revision of what is known; made anew when either changes. */
  private readonly featureNames = new WeakMap<LiveRoute, { revision: number; names: ReadonlySet<string> }>();

  constructor(
    private readonly known: KnownModels,
    private readonly routes: LiveRoutes,
  ) {}

  models(): string[] {
    return [...new Set([...this.known.all().map(({ model }) => model), ...this.routes.models()])].sort();
  }

  fallbackOf(model: string): Fallback | undefined {
    return this.known.get(model)?.serving?.fallback;
  }

  isLive(model: string): boolean {
    return this.routes.get(model) !== undefined;
  }

  /** @throws MillraceError MODEL_UNKNOWN, or MODEL_NOT_READY for a model that has no version in service yet. */
  liveRoute(model: string): LiveRoute {
    const live = this.routes.get(model);
    if (live !== undefined) return live;
    this.requireKnown(model);
    const problem = this.problemOf(model);
    throw new MillraceError('MODEL_NOT_READY', problem === undefined ? `the model ${model} has no routed version yet` : `the model ${model} is not in service: ${problem}`);
  }

  /** The version of this name, or whom the route names when none is. @throws MillraceError as `liveRoute`, and VERSION_UNKNOWN. */
  version(model: string, version: string | undefined): ServingVersion {
    return versionOf(this.liveRoute(model), version);
  }

  /** @throws MillraceError MODEL_UNKNOWN */
  requireKnown(model: string): void {
    if (this.known.get(model) === undefined && this.routes.get(model) === undefined && this.routes.problemOf(model) === undefined) {
      throw new MillraceError('MODEL_UNKNOWN', `Request for unknown model: '${model}' is not found`);
    }
  }

  /** While a spec changes, callers may send the features of the champion, of the candidate and of the spec to come. */
  knowsFeature(model: string, live: LiveRoute, name: string): boolean {
    const known = this.known.get(model);
    const revision = known?.revision ?? 0;
    let entry = this.featureNames.get(live);
    if (entry === undefined || entry.revision !== revision) {
      const features = [live.champion, ...live.candidates.map(({ version }) => version)].flatMap(({ layout }) => layout?.features ?? []);
      entry = { revision, names: new Set([...features.map((feature) => feature.name), ...(known?.featureNames ?? [])]) };
      this.featureNames.set(live, entry);
    }
    return entry.names.has(name);
  }

  private problemOf(model: string): string | undefined {
    return this.routes.problemOf(model) ?? this.known.get(model)?.problem;
  }

  /** Everything about one model, for people and clients. @throws MillraceError MODEL_UNKNOWN */
  describe(model: string): object {
    this.requireKnown(model);
    const live = this.routes.get(model);
    const champion = live?.champion;
    return {
      model,
      ready: live !== undefined,
      specRevision: this.known.get(model)?.revision ?? null,
      problem: this.problemOf(model) ?? null,
      route: live === undefined ? null : describeRoute(live),
      versions: [...(live?.versions.values() ?? [])].map(({ version, model: { state, reason } }) => ({ version, state, reason })),
      features: champion?.layout?.features ?? null,
      inputs: champion?.inputs ?? null,
      outputs: champion?.outputs ?? null,
      task: champion?.meaning.signature?.task ?? null,
      classes: champion?.meaning.signature?.classes ?? null,
    };
  }
}

function describeRoute({ route: { revision, phase, champion, candidate, beside = [], previous } }: LiveRoute): object {
  return {
    revision,
    phase,
    champion: { version: champion.version },
    candidate: candidate === null ? null : { version: candidate.version, share: candidate.share, mirror: candidate.mirror },
    ...(beside.length === 0 ? {} : { beside: beside.map(({ version, share, mirror }) => ({ version, share, mirror })) }),
    previous: previous === undefined || previous === null ? null : { version: previous.version },
  };
}

/** @throws MillraceError VERSION_UNKNOWN */
export function versionOf(live: LiveRoute, version: string | undefined): ServingVersion {
  if (version === undefined) return live.champion;
  const found = live.versions.get(version);
  if (found === undefined) throw new MillraceError('VERSION_UNKNOWN', `Request for unknown model: '${live.route.model}' version ${version} is not found`);
  return found;
}
