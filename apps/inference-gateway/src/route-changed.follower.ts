import { Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { routeChanged, specChanged, type RouteChanged, type Serving, type SpecChanged } from '@millrace/contracts';
import type { RoutedCandidate } from '@millrace/core/inference';
import { Messaging, type CompactedTable } from '@millrace/messaging';
import { ModelHost } from '@millrace/model-runtime';
import { Readiness } from '@millrace/service';
import { artifactTarget, type ArtifactTarget } from './artifact-version-loader.js';
import type { KnownModel, KnownModels } from './data-plane/model-directory.js';
import { ExplainedAnswers } from './explanation/explained-answers.js';
import { Explanations } from './explanation/explanations.js';
import { RouteBook, type WantedRoute } from './data-plane/route-book.js';
import { ShadowRuns } from './data-plane/shadow-runs.js';
import { PredictionLog } from './prediction-log/prediction-log.js';

/** Follows the compacted topics of specs and routes. Ready once every route that stood in the log was tried. */
@Injectable()
export class RouteChangedFollower implements KnownModels, OnApplicationBootstrap, OnApplicationShutdown {
  /** Resolves when specs and routes of the log are known. */
  readonly followed: Promise<void>;
  private settle: () => void = () => undefined;
  private specs: CompactedTable<typeof specChanged> | undefined;

  constructor(
    private readonly messaging: Messaging,
    private readonly routes: RouteBook<ArtifactTarget>,
    private readonly shadowRuns: ShadowRuns,
    private readonly predictionLog: PredictionLog,
    private readonly host: ModelHost,
    private readonly explanations: Explanations,
    private readonly explained: ExplainedAnswers,
    private readonly readiness: Readiness,
  ) {
    this.followed = new Promise((resolve) => (this.settle = resolve));
  }

  async onApplicationBootstrap(): Promise<void> {
    let tried = false;
    this.readiness.add('routes', () => tried || 'the routed versions are being loaded');
    this.readiness.addNote('routes', () => this.routes.problems());
    this.specs = await this.messaging.table(specChanged);
    const table = await this.messaging.table(routeChanged);
    const follow = (route: RouteChanged): Promise<void> => this.routes.follow({ ...wantedRoute(route, this.get(route.model)?.serving), repeatShare: this.specs?.get(route.model)?.spec.spec.rollout.shadow.repeatShare ?? 0 });
    table.onChange((model, entry) => void (entry === undefined ? this.routes.drop(model) : follow(entry.data)));
    // A spec may change the limits of versions in service.
    this.specs.onChange((model) => {
      this.watch(model);
      const route = table.get(model);
      if (route !== undefined) void follow(route);
    });
    for (const { model } of this.specs.values()) this.watch(model);
    await Promise.all(table.values().map(follow));
    tried = true;
    this.settle();
  }

  /** The HTTP edge has drained by now: only shadow runs and explanations are in flight. The relay, which stops later, publishes what they log. */
  async onApplicationShutdown(): Promise<void> {
    await this.shadowRuns.idle();
    await this.explained.stop();
    this.predictionLog.write();
    await this.explanations.stop();
    await this.routes.close();
    await this.host.close();
  }

  private watch(model: string): void {
    this.explained.share(model, this.specs?.get(model)?.spec.spec.serving.explanations.share ?? 0);
  }

  get(model: string): KnownModel | undefined {
    const spec = this.specs?.get(model);
    return spec === undefined ? undefined : knownModel(spec);
  }

  /** Calls back now and whenever specs change, with the models that score a stream and that stream. */
  onStreams(consider: (streams: ReadonlyMap<string, string>) => void): void {
    const tell = (): void => consider(new Map((this.specs?.values() ?? []).filter(({ spec }) => spec.spec.serving.stream).map(({ model, spec }) => [model, spec.spec.stream])));
    tell();
    this.specs?.onChange(tell);
  }

  all(): KnownModel[] {
    return (this.specs?.values() ?? []).map(knownModel);
  }
}

const knownModel = ({ model, revision, spec }: SpecChanged): KnownModel => ({ model, revision, featureNames: spec.spec.features.map(({ name }) => name), serving: spec.spec.serving });

function wantedRoute({ model, revision, phase, salt, champion, candidate, beside = [], previous }: RouteChanged, serving: Serving | undefined): WantedRoute<ArtifactTarget> {
  const tried = (target: NonNullable<RouteChanged['candidate']>): RoutedCandidate<ArtifactTarget> => ({ ...artifactTarget(target, serving), share: target.share, mirror: target.mirror, ...(target.from === undefined ? {} : { from: target.from }) });
  const before = previous === undefined || previous === null ? null : artifactTarget(previous, serving);
  return { model, revision, phase, salt, champion: artifactTarget(champion, serving), previous: before, candidate: candidate === null ? null : tried(candidate), beside: beside.map(tried) };
}
