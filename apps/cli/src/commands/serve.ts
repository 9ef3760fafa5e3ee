import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Command } from 'commander';
import { checkoutRoot } from '../services.js';

/** `millrace serve`: the gateway without the ring, in a process of its own that this one waits for. */
export function addServeCommand(program: Command): void {
  program
    .command('serve')
    .description('serve a folder of ONNX models here, without Kafka or PostgreSQL')
    .argument('<folder>', '<name>/<version>/model.onnx')
    .option('--port <n>', 'default 8080; 0 takes a free one')
    .option('--host <address>', 'default 127.0.0.1')
    .option('--repository-control', 'allow models to be loaded and unloaded by call', false)
    .option('--watch', 'look at the folder again every second', false)
    .option('--body-limit-mb <n>', 'default 64')
    .option('--workers <n>', 'processes that hold models')
    .option('--json', 'log lines as JSON', false)
    .addHelpText('after', '\nExample:\n  $ millrace serve ./models --port 9000 --watch')
    .action((folder: string, options: Record<string, string | boolean | undefined>) => {
      const named = (name: string, value: string | boolean | undefined): string[] => (value === undefined || value === false ? [] : value === true ? [`--${name}`] : [`--${name}`, value]);
      const args = [
        '--models', folder,
        ...['port', 'host', 'watch', 'workers', 'json'].flatMap((name) => named(name, options[name])),
        ...named('repository-control', options['repositoryControl']),
        ...named('body-limit-mb', options['bodyLimitMb']),
      ];
      const child = spawn(process.execPath, [join(checkoutRoot, 'apps/inference-gateway/dist/serve.js'), ...args], { stdio: 'inherit' });
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
      child.on('exit', (code) => process.exit(code ?? 1));
    });
}
