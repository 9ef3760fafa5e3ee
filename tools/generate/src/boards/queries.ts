import type { Query } from './board.js';

const legendOf = (labels: readonly string[]): string => labels.map((label) => `{{${label}}}`).join(' ');
const grouped = (function_: 'sum' | 'max' | 'min', labels: readonly string[], expr: string): Query => ({ expr: `${function_} by (${labels.join(', ')}) (${expr})`, legend: legendOf(labels) });
const rate = (counter: string): string => `rate(${counter}[$__rate_interval])`;

/** A counter per second, summed over all labels but those named, which are the legend. */
export const perSecond = (counter: string, ...labels: readonly string[]): Query => grouped('sum', labels, rate(counter));
export const sumOf = (metric: string, ...labels: readonly string[]): Query => grouped('sum', labels, metric);
export const maxOf = (metric: string, ...labels: readonly string[]): Query => grouped('max', labels, metric);
export const minOf = (metric: string, ...labels: readonly string[]): Query => grouped('min', labels, metric);
/** Every series of its own; the labels are the legend. */
export const eachOf = (metric: string, ...labels: readonly string[]): Query => ({ expr: metric, legend: legendOf(labels) });

/** A counter that begins with its first event is 0 before. */
export const orZero = ({ expr, legend }: Query): Query => ({ expr: `${expr} or vector(0)`, legend });

/** Median and 99th percentile of a histogram. @param selector of labels, with its braces. */
export const p50AndP99 = (histogram: string, selector = ''): Query[] =>
  ['0.5', '0.99'].map((quantile) => ({ expr: `histogram_quantile(${quantile}, sum by (le) (${rate(`${histogram}_bucket${selector}`)}))`, legend: quantile === '0.5' ? 'p50' : 'p99' }));
