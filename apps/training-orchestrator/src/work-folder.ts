import { join, resolve } from 'node:path';
import type { Plan } from './plan.js';

/** Where files live while runs last. Everything here can be made again from the archive and the artifacts. */
export class WorkFolder {
  private readonly root: string;

  constructor(root: string) {
    this.root = resolve(root);
  }

  /** By content: runs that share a dataset version share its files; the task decides how a label is written. */
  dataset({ datasetVersion, spec }: Plan): string {
    return join(this.root, 'datasets', `${datasetVersion}-${spec.task}`);
  }

  job({ runId }: Plan, attempt: number): string {
    return join(this.root, 'runs', runId, `attempt-${attempt}`);
  }

  verification(id: string, attempt: number): string {
    return join(this.root, 'verifications', id, `attempt-${attempt}`);
  }
}
