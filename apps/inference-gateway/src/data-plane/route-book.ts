import { MillraceError } from '@millrace/contracts';
import { candidatesOf, type RoutedCandidate } from '@millrace/core/inference';
import { gatewayMetrics } from '../inference-gateway.metrics.js';
import type { Log } from './log.js';
import type { ServingVersion, VersionLoader, VersionTarget } from './serving-version.js';

/** A route as its source announces it: who answers a model, who only watches, and who may be asked by name. */
export interface WantedRoute<T extends VersionTarget = VersionTarget> {
  readonly model: string;
  readonly revision: number;
  readonly phase: 'full' | 'shadow' | 'canary' | 'ab';
  readonly salt: string;
  readonly champion: T;
  readonly candidate: RoutedCandidate<T> | null;
  /** Further candidates, tried at the same time. */
  readonly beside?: readonly RoutedCandidate<T>[];
  /** Part of the mirrored requests for which the champion is asked again; absent: none. */
  readonly repeatShare?: number;
  /** Who answered before the champion, and stands in for it where the spec says so. */
  readonly previous?: T | null;
  /** Versions that answer only who names them. */
  readonly others?: readonly T[];
}

/** A version that is tried. */
export interface LiveCandidate {
  readonly version: ServingVersion;
  readonly share: number;
  readonly mirror: boolean;
}

/** A route in force, with its versions loaded. Requests take it whole, so none sees half a swap. */
export interface LiveRoute {
  readonly route: WantedRoute;
  readonly champion: ServingVersion;
  /** Who is tried, each with its part of the route, which does not change. */
  readonly candidates: readonly LiveCandidate[];
  readonly previous: ServingVersion | null;
  /** All of them, by name. */
  readonly versions: ReadonlyMap<string, ServingVersion>;
}

/** What requests and describers need of the book. */
export interface LiveRoutes {
  get(model: string): LiveRoute | undefined;
  models(): string[];
  /** Why the newest route of the model is not in force, in a sentence. */
  problemOf(model: string): string | undefined;
}

const retryMsMax = 30_000;

/**
 * Which versions answer for which model. A new route is loaded beside the old one, which goes on answering; only when
 * every version of it stands is it swapped in, at once, and versions that it no longer names are closed after their work
 * in flight. A route that cannot be loaded changes nothing but `problemOf` and a metric.
 */
export class RouteBook<T extends VersionTarget = VersionTarget> implements LiveRoutes {
  private readonly live = new Map<string, LiveRoute>();
  private readonly wanted = new Map<string, WantedRoute<T>>();
  private readonly problemOfModel = new Map<string, string>();
  private readonly swaps = new Map<string, Promise<void>>();
  private readonly retries = new Map<string, { timer: NodeJS.Timeout; attempt: number }>();
  private closed = false;

  constructor(
    private readonly loader: VersionLoader<T>,
    private readonly log: Log,
  ) {}

  get(model: string): LiveRoute | undefined {
    return this.live.get(model);
  }

  models(): string[] {
    return [...this.live.keys()];
  }

  problemOf(model: string): string | undefined {
    return this.problemOfModel.get(model);
  }

  /** All of them, for operators; undefined when there is none. */
  problems(): string | undefined {
    return this.problemOfModel.size === 0 ? undefined : [...this.problemOfModel].map(([model, problem]) => `${model}: ${problem}`).join('; ');
  }

  /** Resolves when the newest route of the model is in force or was found impossible to load. Never rejects. */
  async follow(route: WantedRoute<T>): Promise<void> {
    const current = this.wanted.get(route.model) ?? this.live.get(route.model)?.route;
    if (current !== undefined && current.revision > route.revision) return;
    this.wanted.set(route.model, route);
    this.forgetRetry(route.model);
    await this.settleModel(route.model);
  }

  /** The model’s route was taken away. */
  async drop(model: string): Promise<void> {
    this.wanted.delete(model);
    this.forgetRetry(model);
    await this.swaps.get(model);
    const former = this.live.get(model);
    this.live.delete(model);
    this.problemOfModel.delete(model);
    if (former !== undefined) await this.retire(former, new Map());
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const model of this.retries.keys()) this.forgetRetry(model);
    await Promise.all(this.swaps.values());
    await Promise.all([...this.live.values()].map((former) => this.retire(former, new Map())));
    this.live.clear();
  }

  /** One swap of a model at a time; a route that came meanwhile is taken next. */
  private settleModel(model: string): Promise<void> {
    const running = this.swaps.get(model);
    if (running !== undefined) return running;
    const work = this.swapUntilCurrent(model).finally(() => this.swaps.delete(model));
    this.swaps.set(model, work);
    return work;
  }

  private async swapUntilCurrent(model: string): Promise<void> {
    for (let route = this.wanted.get(model); route !== undefined && !this.closed; route = this.wanted.get(model)) {
      const failure = await this.swap(route);
      if (this.wanted.get(model) !== route) continue;
      this.wanted.delete(model);
      if (failure !== undefined) this.retryLater(route, failure);
    }
  }

  /** Answers what went wrong, if anything. */
  private async swap(route: WantedRoute<T>): Promise<unknown> {
    const { model, revision } = route;
    const former = this.live.get(model);
    const loaded: ServingVersion[] = [];
    try {
      const next = await this.loadRoute(route, former, loaded);
      this.live.set(model, next);
      this.problemOfModel.delete(model);
      measureRoute(former, next);
      this.log.info({ model, revision, phase: route.phase, champion: route.champion.version, candidates: candidatesOf(route).map(({ version }) => version) }, 'a route is in force');
      if (former !== undefined) void this.retire(former, next.versions);
      return undefined;
    } catch (error) {
      for (const version of loaded) void version.close().catch(() => undefined);
      const reason = error instanceof Error ? error.message : String(error);
      this.problemOfModel.set(model, `route revision ${revision} cannot be loaded${former === undefined ? '' : `; revision ${former.route.revision} stays in force`}: ${reason}`);
      this.log.error({ err: error, model, revision }, 'a route could not be loaded; the old one stays in force');
      return error;
    }
  }

  private async loadRoute(route: WantedRoute<T>, former: LiveRoute | undefined, loaded: ServingVersion[]): Promise<LiveRoute> {
    const versions = new Map<string, ServingVersion>();
    const obtain = async (target: T): Promise<ServingVersion> => {
      const version = await this.obtain(route.model, target, former, loaded);
      versions.set(version.version, version);
      return version;
    };
    const champion = await obtain(route.champion);
    const candidates: LiveCandidate[] = [];
    for (const target of candidatesOf(route)) candidates.push({ version: await obtain(target), share: target.share, mirror: target.mirror });
    const { previous } = route;
    const before = previous === undefined || previous === null ? null : await obtain(previous);
    for (const target of route.others ?? []) await obtain(target);
    return { route, champion, candidates, previous: before, versions };
  }

  /** The version of the former route when it is the same file, otherwise a newly loaded one. */
  private async obtain(model: string, target: T, former: LiveRoute | undefined, loaded: ServingVersion[]): Promise<ServingVersion> {
    for (const known of [former?.versions.get(target.version), ...loaded]) {
      if (known !== undefined && known.version === target.version && known.identity === target.identity) return known;
    }
    try {
      const version = await this.loader.load(model, target);
      loaded.push(version);
      return version;
    } catch (error) {
      gatewayMetrics.loadFailures.inc({ model, version: target.version });
      throw error;
    }
  }

  private async retire(former: LiveRoute, kept: ReadonlyMap<string, ServingVersion>): Promise<void> {
    for (const version of former.versions.values()) {
      if (kept.get(version.version) === version) continue;
      await version.close().catch((error: unknown) => this.log.warn({ err: error, version: version.version }, 'a version was not closed cleanly'));
    }
  }

  /** An artifact that is damaged stays so until a new route; a store that is away comes back. */
  private retryLater(route: WantedRoute<T>, failure: unknown): void {
    const hopeless = failure instanceof MillraceError && !failure.retryable && failure.code !== 'ARTIFACT_MISSING';
    if (hopeless || this.closed) return;
    const attempt = (this.retries.get(route.model)?.attempt ?? 0) + 1;
    const timer = setTimeout(() => {
      if (this.wanted.has(route.model)) return;
      this.wanted.set(route.model, route);
      void this.settleModel(route.model);
    }, Math.min(retryMsMax, 500 * 2 ** attempt));
    timer.unref();
    this.retries.set(route.model, { timer, attempt });
  }

  private forgetRetry(model: string): void {
    clearTimeout(this.retries.get(model)?.timer);
    this.retries.delete(model);
  }
}

function sharesOf({ route, candidates }: LiveRoute): { model: string; version: string; role: 'primary' | 'shadow'; share: number }[] {
  const { model, champion } = route;
  const primary = { role: 'primary', model } as const;
  const shadow = { role: 'shadow', model } as const;
  const left = candidates.reduce((rest, { share }) => rest - share, 1);
  return [
    { ...primary, version: champion.version, share: left },
    ...candidates.map(({ version: { version }, share }) => ({ ...primary, version, share })),
    ...candidates.filter(({ mirror }) => mirror).map(({ version: { version }, share }) => ({ ...shadow, ...(share === 1 ? { version: champion.version, share: 1 } : { version, share: left }) })),
  ];
}

function measureRoute(former: LiveRoute | undefined, next: LiveRoute): void {
  if (former !== undefined) for (const { model, version, role } of sharesOf(former)) gatewayMetrics.routeShare.remove({ model, version, role });
  for (const { share, ...labels } of sharesOf(next)) gatewayMetrics.routeShare.set(labels, share);
  gatewayMetrics.routeRevision.set({ model: next.route.model }, next.route.revision);
}
