import { MillraceError } from '@millrace/contracts';
import type { ModelDirectory } from '../data-plane/model-directory.js';
import type { Repository, RepositoryEntry } from '../data-plane/repository.js';
import type { LiveRoutes } from '../data-plane/route-book.js';

/** The repository of a gateway in the ring: what the routes name. Models come and go by route events, not by calls. */
export function routedRepository(models: ModelDirectory, routes: LiveRoutes): Repository {
  const refuse = (): Promise<never> => Promise.reject(new MillraceError('REPOSITORY_NOT_CONTROLLED', 'routes are moved by the roll-out controller'));
  return {
    controlled: false,
    index: () =>
      models.models().flatMap((name): RepositoryEntry[] => {
        const live = routes.get(name);
        if (live === undefined) return [{ name, state: 'UNAVAILABLE', reason: routes.problemOf(name) ?? 'no version is routed yet' }];
        return [...live.versions.values()].map(({ version, model: { state, reason } }) => ({ name, version, state: state === 'failed' ? 'UNAVAILABLE' : 'READY', reason: reason ?? '' }));
      }),
    load: refuse,
    unload: refuse,
  };
}
