import type { GuardObservation } from '@millrace/core/rollout';

/** What one partition has told of a model since the last save, under one route. */
export interface GuardNews {
  readonly model: string;
  /** The candidate. */
  readonly version: string;
  readonly routeRevision: number;
  readonly observations: GuardObservation[];
  /** Where they lie: offsets [fromOffset, toOffset) of one partition. */
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  toOffset: number;
}

type Noted = Pick<GuardNews, 'model' | 'version' | 'routeRevision' | 'topic' | 'partition'> & { readonly offset: number };

/** Waits in memory between two saves of a partition; a crash forgets it, and it is read again. */
export class GuardIntake {
  private readonly partitions = new Map<number, Map<string, GuardNews>>();

  forget(partition: number): void {
    this.partitions.delete(partition);
  }

  note({ model, version, routeRevision, topic, partition, offset }: Noted, observation: GuardObservation): void {
    let candidates = this.partitions.get(partition);
    if (candidates === undefined) this.partitions.set(partition, (candidates = new Map<string, GuardNews>()));
    const candidate = `${model}@${version}`;
    const known = candidates.get(candidate);
    // What was told under an earlier route no longer counts.
    if (known === undefined || known.routeRevision < routeRevision) candidates.set(candidate, { model, version, routeRevision, observations: [observation], topic, partition, fromOffset: offset, toOffset: offset + 1 });
    else if (known.routeRevision === routeRevision) {
      known.observations.push(observation);
      known.toOffset = offset + 1;
    }
  }

  of(partition: number): readonly GuardNews[] {
    return [...(this.partitions.get(partition)?.values() ?? [])];
  }
}
