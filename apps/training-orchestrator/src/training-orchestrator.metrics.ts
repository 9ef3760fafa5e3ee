import { Counter, Gauge, Histogram } from 'prom-client';

export const trainingMetrics = {
  runs: new Counter({ name: 'millrace_training_runs_total', help: 'Completed training runs.', labelNames: ['model', 'outcome'] }),
  activeRuns: new Gauge({ name: 'millrace_training_active_runs', help: 'Runs that are under way.' }),
  stepSeconds: new Histogram({ name: 'millrace_training_step_seconds', help: 'Duration of one attempt of a pipeline step.', labelNames: ['step', 'outcome'], buckets: [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900] }),
  evaluations: new Counter({ name: 'millrace_training_evaluations_total', help: 'Times that retraining was considered.', labelNames: ['model', 'decision'] }),
} as const;
