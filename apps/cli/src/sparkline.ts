const steps = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Shares of several distributions over the same bins as small bars, on one scale: the tallest bar of all is full. */
export function sparklines(distributions: readonly (readonly number[])[]): string[] {
  const tallest = Math.max(0, ...distributions.flat());
  const bar = (share: number): string => (share <= 0 || tallest === 0 ? '·' : (steps[Math.min(steps.length - 1, Math.floor((share / tallest) * steps.length))] ?? '█'));
  return distributions.map((shares) => shares.map(bar).join(''));
}
