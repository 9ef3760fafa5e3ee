import type { ServiceName } from '@millrace/contracts';

/** What the services keep and tell over HTTP. */
export interface RingFacts {
  /** @throws MillraceError with the service’s own code. */
  get<T>(service: ServiceName, path: string): Promise<T>;
}
