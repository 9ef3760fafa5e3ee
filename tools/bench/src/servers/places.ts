import { join } from 'node:path';
import { checkoutFolder } from '@millrace/stack';

/** Everything the benchmark makes lies in one folder of the checkout. */
export const benchFolder = join(checkoutFolder, '.millrace', 'bench');
export const logFolder = join(benchFolder, 'logs');
export const benchSources = join(checkoutFolder, 'tools', 'bench');
export const standaloneScript = join(checkoutFolder, 'apps', 'inference-gateway', 'dist', 'serve.js');
export const controllerScript = join(checkoutFolder, 'apps', 'rollout-controller', 'dist', 'main.js');
export const ringScript = join(checkoutFolder, 'apps', 'inference-gateway', 'dist', 'main.js');
