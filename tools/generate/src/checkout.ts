import { fileURLToPath } from 'node:url';

/** The same from src/ (specs) and dist/ (the command): both lie two folders below tools. */
export const checkoutRoot = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '');
