export interface Step {
  readonly name: string;
  readonly title: string;
  readonly after: readonly string[];
  readonly hint: string;
  readonly isThere: () => boolean;
  readonly make: (log: string) => Promise<void>;
}
export class StepFailed extends Error {
  readonly step: Step;
}
export function runSteps(steps: readonly Step[], options: { logs: string; say: (line: string) => void }): Promise<void>;
export function describeFailure(failure: StepFailed, logs: string): string;
