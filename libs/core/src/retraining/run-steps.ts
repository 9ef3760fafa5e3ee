export const runSteps = ['snapshot', 'validate-data', 'train', 'evaluate', 'compare', 'check-serving', 'register'] as const;
export type RunStep = (typeof runSteps)[number];

export interface StepState {
  readonly step: RunStep;
  readonly state: 'waiting' | 'running' | 'succeeded' | 'failed';
  readonly attempts: number;
}

export type NextStep = { readonly do: 'step'; readonly step: RunStep } | { readonly do: 'finish'; readonly outcome: 'succeeded' | 'failed' };

/** The first step that has not succeeded; a finished step is never done again. */
export function nextStepOf(steps: readonly StepState[]): NextStep {
  for (const step of runSteps) {
    const state = steps.find((entry) => entry.step === step);
    if (state?.state === 'failed') return { do: 'finish', outcome: 'failed' };
    if (state?.state !== 'succeeded') return { do: 'step', step };
  }
  return { do: 'finish', outcome: 'succeeded' };
}

export interface TrainerExit {
  readonly retry: boolean;
  readonly class: 'done' | 'refused' | 'transient' | 'out-of-memory' | 'cancelled' | 'failed';
}

/**
 * What a trainer’s exit code asks for (trainer contract v1): 0 done; 42 user error, never again; 75 transient (EX_TEMPFAIL);
 * 137 out of memory, once more; 143 cancelled, not a failure of the run; any other uses up the retry budget. `attempt`
 * counts from 1 and includes this one.
 */
export function classifyTrainerExit(code: number, attempt: number, attemptsMax: number): TrainerExit {
  const left = attempt < attemptsMax;
  switch (code) {
    case 0:
      return { class: 'done', retry: false };
    case 42:
      return { class: 'refused', retry: false };
    case 75:
      return { class: 'transient', retry: left };
    case 137:
      return { class: 'out-of-memory', retry: left && attempt === 1 };
    case 143:
      return { class: 'cancelled', retry: left };
    default:
      return { class: 'failed', retry: left };
  }
}
