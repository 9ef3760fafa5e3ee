import { Counter } from 'prom-client';

export const registryMetrics = {
  versions: new Counter({ name: 'millrace_registry_versions_total', help: 'Model versions registered.', labelNames: ['model', 'source'] }),
  runs: new Counter({ name: 'millrace_registry_runs_total', help: 'Completed training runs that were recorded.', labelNames: ['model', 'outcome'] }),
  aliasMoves: new Counter({ name: 'millrace_registry_alias_moves_total', help: 'Moves of an alias to another version.', labelNames: ['model', 'alias'] }),
  artifactsRefused: new Counter({ name: 'millrace_registry_artifacts_refused_total', help: 'Artifacts whose bytes did not match their SHA-256.' }),
} as const;
