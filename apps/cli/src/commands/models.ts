import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parse as parseYaml } from 'yaml';
import { MillraceError } from '@millrace/contracts';
import { show, table } from '../print.js';
import { call } from '../services.js';

interface JsonOption {
  readonly json: boolean;
}
interface Metric {
  readonly name: string;
  readonly slice: string;
  readonly value: number;
}
interface Version {
  readonly version: string;
  readonly source: string;
  readonly runId: string | null;
  readonly datasetVersion: string | null;
  readonly artifact: { readonly sha256: string };
  readonly metrics: readonly Metric[];
  readonly gate: { readonly outcome: string };
  readonly registeredAt: string;
}

function documentOf(file: string): { kind?: unknown; id?: unknown; metadata?: { name?: unknown } } {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new MillraceError('REQUEST_INVALID', `${file} cannot be read`, { cause });
  }
  return parseYaml(content) as ReturnType<typeof documentOf>;
}

async function apply(file: string): Promise<{ file: string; kind: string; name: string; answer: unknown }> {
  const document = documentOf(file);
  if (document.kind === 'DataContract') {
    const name = String(document.id);
    return { file, kind: 'contract', name, answer: await call('model-registry', 'PUT', `/v1/contracts/${encodeURIComponent(name)}`, document) };
  }
  if (document.kind === 'Model') {
    const name = String(document.metadata?.name);
    return { file, kind: 'model', name, answer: await call('model-registry', 'PUT', `/v1/models/${encodeURIComponent(name)}`, document) };
  }
  throw new MillraceError('REQUEST_INVALID', `${file} is neither a Model nor a DataContract: its kind is ${JSON.stringify(document.kind)}`);
}

export function addModelCommands(program: Command): void {
  program
    .command('apply')
    .description('put data contracts and model specs in force; the same content twice changes nothing')
    .requiredOption('-f, --file <files...>', 'YAML files; contracts are applied before models')
    .option('--json', 'for machines', false)
    .addHelpText('after', '\nExample:\n  $ millrace apply -f contract.yaml -f model.yaml')
    .action(async (options: JsonOption & { file: string[] }) => {
      const files = [...options.file].sort((a, b) => Number(documentOf(b).kind === 'DataContract') - Number(documentOf(a).kind === 'DataContract'));
      const applied: Awaited<ReturnType<typeof apply>>[] = [];
      for (const file of files) applied.push(await apply(file));
      show(options.json, applied, () => table(['file', 'kind', 'name'], applied.map(({ file, kind, name }) => [file, kind, name])));
    });

  program
    .command('models')
    .description('all models with their champion')
    .option('--json', 'for machines', false)
    .action(async ({ json }: JsonOption) => {
      const answer = await call<{ models: { model: string; task: string; stream: string; revision: number; aliases: Record<string, string | null> }[] }>('model-registry', 'GET', '/v1/models');
      show(json, answer, () => table(['model', 'task', 'stream', 'revision', 'champion', 'challenger'], answer.models.map((row) => [row.model, row.task, row.stream, row.revision, row.aliases['champion'], row.aliases['challenger']])));
    });

  program
    .command('versions')
    .description('the versions of a model')
    .argument('<model>')
    .option('--json', 'for machines', false)
    .action(async (model: string, { json }: JsonOption) => {
      const answer = await call<{ versions: Version[] }>('model-registry', 'GET', `/v1/models/${encodeURIComponent(model)}/versions`);
      const first = (version: Version) => version.metrics.filter(({ slice }) => slice === 'overall').slice(0, 3).map(({ name, value }) => `${name} ${value.toFixed(3)}`).join(', ');
      show(json, answer, () => table(['version', 'source', 'gate', 'run', 'dataset', 'artifact', 'metrics', 'registered'], answer.versions.map((row) => [row.version, row.source, row.gate.outcome, row.runId, row.datasetVersion?.slice(0, 12), row.artifact.sha256.slice(0, 12), first(row), row.registeredAt])));
    });

  program
    .command('runs')
    .description('the training runs of a model')
    .argument('<model>')
    .option('--json', 'for machines', false)
    .action(async (model: string, { json }: JsonOption) => {
      const answer = await call<{ runs: { runId: string; state: string; step: string | null; trigger: string; datasetVersion: string; streamTime: string; reason: string }[] }>('training-orchestrator', 'GET', `/v1/models/${encodeURIComponent(model)}/runs`);
      show(json, answer, () => table(['run', 'state', 'step', 'trigger', 'dataset', 'stream time', 'reason'], answer.runs.map((row) => [row.runId, row.state, row.step, row.trigger, row.datasetVersion.slice(0, 12), row.streamTime, row.reason])));
    });
}

export function addPredictCommand(program: Command): void {
  program
    .command('predict')
    .description('ask for one prediction')
    .argument('<model>')
    .requiredOption('--features <json>', 'features by name, or - to read them from standard input')
    .option('--id <id>', 'record id, so that the label that comes later finds the prediction', () => `cli-${process.pid}`)
    .option('--json', 'for machines', false)
    .addHelpText('after', `\nExample:\n  $ millrace predict flight-delays --id try-1 --features '{"hour": 17, "distance": 1400, "carrier": "UA"}'`)
    .action(async (model: string, options: JsonOption & { features: string; id: string | undefined }) => {
      let features: unknown;
      try {
        features = JSON.parse(options.features === '-' ? readFileSync(0, 'utf8') : options.features);
      } catch (cause) {
        throw new MillraceError('REQUEST_INVALID', `--features is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`);
      }
      const body = { instances: [{ id: options.id ?? `cli-${process.pid}-${Date.now()}`, features }] };
      const answer = await call<{ predictions: { id: string; predictionId: string; version: string; label?: unknown; probability?: number; value?: number }[] }>('inference-gateway', 'POST', `/v1/models/${encodeURIComponent(model)}/predict`, body);
      show(options.json, answer, () => table(['id', 'prediction', 'version', 'label', 'probability', 'value'], answer.predictions.map((row) => [row.id, row.predictionId, row.version, row.label === undefined ? null : String(row.label), row.probability, row.value])));
    });
}
