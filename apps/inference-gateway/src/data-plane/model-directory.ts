import { Injectable } from '@nestjs/common';
import { MillraceError } from '@millrace/contracts';
import { RouteBook, type LiveRoute } from './route-book.js';
import { RouteChangedFollower } from './route-changed.follower.js';

/** What is known about models here: their specs, and the routes in force. */
@Injectable()
export class ModelDirectory {
  /** Of a route and a spec revision; made anew when either changes. */
  private readonly featureNames = new WeakMap<LiveRoute, { revision: number; names: ReadonlySet<string> }>();

  constructor(
    private readonly follower: RouteChangedFollower,
    private readonly routes: RouteBook,
  ) {}

  models(): string[] {
    return [...new Set([...this.follower.allSpecs().map(({ model }) => model), ...this.routes.models()])].sort();
  }

  /** @throws MillraceError MODEL_UNKNOWN, or MODEL_NOT_READY for a model that has no version in service yet. */
  liveRoute(model: string): LiveRoute {
    const live = this.routes.get(model);
    if (live !== undefined) return live;
    this.requireKnown(model);
    const problem = this.routes.problemOf(model);
    throw new MillraceError('MODEL_NOT_READY', problem === undefined ? `the model ${model} has no routed version yet` : `the model ${model} is not in service: ${problem}`);
  }

  /** @throws MillraceError MODEL_UNKNOWN */
  requireKnown(model: string): void {
    if (this.follower.spec(model) === undefined && this.routes.get(model) === undefined && this.routes.problemOf(model) === undefined) {
      throw new MillraceError('MODEL_UNKNOWN', `Request for unknown model: '${model}' is not found`);
    }
  }

  /** While a spec changes, callers may send the features of the champion, of the candidate and of the spec to come. */
  knowsFeature(model: string, live: LiveRoute, name: string): boolean {
    const spec = this.follower.spec(model);
    const revision = spec?.revision ?? 0;
    let known = this.featureNames.get(live);
    if (known === undefined || known.revision !== revision) {
      const inputs = [live.champion, live.candidate].flatMap((version) => version?.signature.inputs ?? []);
      known = { revision, names: new Set([...inputs, ...(spec?.spec.spec.features ?? [])].map((input) => input.name)) };
      this.featureNames.set(live, known);
    }
    return known.names.has(name);
  }

  describe(model: string): object {
    this.requireKnown(model);
    const live = this.routes.get(model);
    const spec = this.follower.spec(model);
    const problem = this.routes.problemOf(model);
    return {
      model,
      ready: live !== undefined,
      specRevision: spec?.revision ?? null,
      problem: problem ?? null,
      route: live?.route ?? null,
    };
  }
}
