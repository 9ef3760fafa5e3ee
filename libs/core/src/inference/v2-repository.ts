// The model repository extension: what could be served, whether it is or not.

/** One version of a model as a repository knows it. */
export interface V2RepositoryEntry {
  readonly name: string;
  readonly version?: string;
  readonly state: 'READY' | 'UNAVAILABLE' | 'LOADING' | 'UNLOADING';
  /** Why it is not ready; '' when it is. */
  readonly reason: string;
}

/** The answer to `POST /v2/repository/index`, by name and version. @param readyOnly the request's `ready` */
export function repositoryIndex(entries: readonly V2RepositoryEntry[], readyOnly = false): readonly V2RepositoryEntry[] {
  return entries
    .filter(({ state }) => !readyOnly || state === 'READY')
    .map(({ name, version, state, reason }) => ({ name, ...(version === undefined ? {} : { version }), state, reason }));
}
