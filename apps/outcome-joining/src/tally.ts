/** Counts of one batch, per subject (`model:…` or `stream:…`) and name. */
export class Tally {
  private readonly counts = new Map<string, { subject: string; name: TallyName; count: number }>();

  add(subject: string, name: TallyName, count = 1): void {
    if (count === 0) return;
    const key = `${subject} ${name}`;
    const entry = this.counts.get(key) ?? { subject, name, count: 0 };
    entry.count += count;
    this.counts.set(key, entry);
  }

  entries(): { subject: string; name: TallyName; count: number }[] {
    return [...this.counts.values()].sort((a, b) => (`${a.subject} ${a.name}` < `${b.subject} ${b.name}` ? -1 : 1));
  }
}

export const tallyNames = ['primary', 'shadow', 'repeated', 'records', 'joined', 'expired', 'late', 'unreadable', 'labels', 'duplicates'] as const;
export type TallyName = (typeof tallyNames)[number];

export const ofModel = (model: string): string => `model:${model}`;
export const ofStream = (stream: string): string => `stream:${stream}`;
