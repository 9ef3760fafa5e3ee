/**
 * Goal: the names that a query reads are found, and nothing else is taken for one.
 * Method: queries whose names a reader can count.
 */
import { describe, expect, it } from '@jest/globals';
import { metricNamesOf } from './metric-names.js';

describe('metricNamesOf', () => {
  it.each([
    ['up == 0', []],
    ['sum by (process_id) (rate(millrace_a_total{kafka_label="nodejs_x"}[5m]))', ['millrace_a_total']],
    ['histogram_quantile(0.9, sum by (le) (rate(millrace_b_seconds_bucket[1m])))', ['millrace_b_seconds']],
    ['millrace_c_seconds_sum / millrace_c_seconds_count', ['millrace_c_seconds']],
    ['kafka_consumergroup_lag unless on (model) process_cpu_seconds_total offset 5m', ['kafka_consumergroup_lag', 'process_cpu_seconds_total']],
  ])('%s', (expr, names) => {
    expect(metricNamesOf(expr)).toEqual(names);
  });
});
