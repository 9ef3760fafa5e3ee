import { MillraceError, type ErrorCode, type Mistake, type PredictRequest } from '@millrace/contracts';
import type { ServingVersion } from './serving-version.js';

export type Instance = PredictRequest['instances'][number] & { readonly id: string };

const mistakesMax = 50;

/** Collects what is wrong with a request’s instances, so that a caller learns of all mistakes at once. */
export class InstanceJudge {
  private readonly mistakes: Mistake[] = [];
  private code: ErrorCode | undefined;
  private count = 0;

  constructor(
    private readonly isKnown: (feature: string) => boolean,
    private readonly member = 'instances',
  ) {}

  look(version: ServingVersion, instance: Pick<Instance, 'features'>, index: number): void {
    for (const { code, path, message } of version.judge(instance.features, this.isKnown)) {
      this.code ??= code;
      this.count += 1;
      if (this.mistakes.length < mistakesMax) this.mistakes.push({ path: `/${this.member}/${index}/features${path}`, message });
    }
  }

  /** @throws MillraceError FEATURE_* named after the first mistake, with all of them (at most 50). */
  verdict(): void {
    if (this.code === undefined) return;
    const list = this.mistakes.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw new MillraceError(this.code, `${this.count} feature${this.count === 1 ? '' : 's'} cannot be used: ${list}`, { mistakes: this.mistakes });
  }
}
