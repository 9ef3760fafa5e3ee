import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** This file lies in tools/stack/{src,dist}; both are three levels below the checkout. */
export const checkoutFolder = fileURLToPath(new URL('../../..', import.meta.url));
export const defaultFolder = join(checkoutFolder, '.millrace', 'run');
/** What the bootstrap prepares; tools/bootstrap/bootstrap.mjs writes these places. */
export const kafkaJarsFolder = join(checkoutFolder, '.millrace', 'kafka', 'libs');
export const trainerPython = join(checkoutFolder, '.millrace', 'venv', 'bin', 'python');
export const trainerFolder = join(checkoutFolder, 'trainers', 'tabular');

export function serviceScript(name: string): string {
  return join(checkoutFolder, 'apps', name, 'dist', 'main.js');
}
