/** Counts, or expected counts, of a binary decision against the truth. */
export interface Confusion {
  readonly truePositives: number;
  readonly falsePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
}

export const confusionMetrics = ['accuracy', 'precision', 'recall', 'f1', 'specificity'] as const;
export type ConfusionMetric = (typeof confusionMetrics)[number];

/** The field’s definitions; null where a metric divides by nothing. */
export function metricOfConfusion(metric: ConfusionMetric, { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn }: Confusion): number | null {
  const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);
  switch (metric) {
    case 'accuracy': return ratio(tp + tn, tp + fp + fn + tn);
    case 'precision': return ratio(tp, tp + fp);
    case 'recall': return ratio(tp, tp + fn);
    case 'f1': return ratio(2 * tp, 2 * tp + fp + fn);
    case 'specificity': return ratio(tn, tn + fp);
  }
}
