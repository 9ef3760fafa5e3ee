import type { GuardObservation } from '@millrace/core/rollout';

/** What one partition has told of a model since the last save, under one route. */
export interface GuardNews {
  readonly model: string;
  readonly routeRevision: number;
  readonly observations: GuardObservation[];
}

/** Waits in memory between two saves of a partition; a crash forgets it, and it is read again. */
export class GuardIntake {
  private readonly partitions = new Map<number, Map<string, GuardNews>>();

  forget(partition: number): void {
    this.partitions.delete(partition);
  }

  note(partition: number, model: string, routeRevision: number, observation: GuardObservation): void {
    let models = this.partitions.get(partition);
    if (models === undefined) this.partitions.set(partition, (models = new Map<string, GuardNews>()));
    const known = models.get(model);
    // What was told under an earlier route no longer counts.
    if (known === undefined || known.routeRevision < routeRevision) models.set(model, { model, routeRevision, observations: [observation] });
    else if (known.routeRevision === routeRevision) known.observations.push(observation);
  }

  of(partition: number): readonly GuardNews[] {
    return [...(this.partitions.get(partition)?.values() ?? [])];
  }
}
