import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { MillraceError, services, type ErrorCode, errorCatalogue, type Mistake, type ServiceName } from '@millrace/contracts';

interface Endpoints {
  /** host:port, separated by commas. */
  readonly kafka?: string;
  /** As STORAGE_URL. */
  readonly storage?: string;
  readonly services: Readonly<Partial<Record<ServiceName, string>>>;
}

/** The nearest `.millrace/endpoints.json` upwards from here, or the one MILLRACE_ENDPOINTS names; MILLRACE_<SERVICE>_URL wins over both. */
function readEndpoints(): Endpoints {
  const named = process.env['MILLRACE_ENDPOINTS'];
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const file = named ?? join(folder, '.millrace', 'endpoints.json');
    if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Endpoints;
    if (named !== undefined || folder === dirname(folder)) return { services: {} };
  }
}

const endpoints = readEndpoints();

function addressOf(service: ServiceName): string {
  const address = process.env[`MILLRACE_${service.toUpperCase().replaceAll('-', '_')}_URL`] ?? endpoints.services[service];
  if (address === undefined) {
    throw new MillraceError('DEPENDENCY_UNAVAILABLE', `No stack is known here. Start one with \`millrace up\`, run this inside its checkout, or set MILLRACE_ENDPOINTS (known services: ${services.join(', ')}).`);
  }
  return address;
}

/** Kafka’s bootstrap servers: KAFKA_BROKERS wins over what a running stack has announced. */
export function brokers(): string[] {
  const address = process.env['KAFKA_BROKERS'] ?? endpoints.kafka;
  if (address === undefined) throw new MillraceError('DEPENDENCY_UNAVAILABLE', 'No Kafka is known here. Start a stack with `millrace up`, run this inside its checkout, or set KAFKA_BROKERS.');
  return address.split(',');
}

/** Where artifacts and the archive lie: STORAGE_URL wins over what a running stack has announced. */
export function storageUrl(): string {
  const url = process.env['STORAGE_URL'] ?? endpoints.storage;
  if (url === undefined) throw new MillraceError('DEPENDENCY_UNAVAILABLE', 'No archive is known here. Start a stack with `millrace up`, run this inside its checkout, or set STORAGE_URL.');
  return url;
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && code in errorCatalogue;
}

/** One call to one service. @throws MillraceError with the service’s own code, or DEPENDENCY_UNAVAILABLE when it is down. */
export async function call<T>(service: ServiceName, method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<T> {
  const address = addressOf(service);
  let response: Response;
  try {
    response = await fetch(`${address}${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) });
  } catch (cause) {
    throw new MillraceError('DEPENDENCY_UNAVAILABLE', `${service} does not answer at ${address}. Is the stack up? Look at \`millrace status\` and at its log.`, { cause });
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as T;
  let answer: { error?: unknown; code?: unknown; mistakes?: readonly Mistake[] } = {};
  try {
    answer = JSON.parse(text) as typeof answer;
  } catch {
    // Not ours: something else listens there.
  }
  const message = typeof answer.error === 'string' ? answer.error : `${service} answered ${response.status}: ${text.slice(0, 200)}`;
  throw new MillraceError(isErrorCode(answer.code) ? answer.code : 'INTERNAL', message, answer.mistakes === undefined ? {} : { mistakes: answer.mistakes });
}

export async function find<T>(service: ServiceName, path: string): Promise<T | null> {
  try {
    return await call<T>(service, 'GET', path);
  } catch (error) {
    if (error instanceof MillraceError && error.httpStatus === 404) return null;
    throw error;
  }
}

export async function readiness(service: ServiceName): Promise<{ service: ServiceName; address: string; state: string }> {
  const address = addressOf(service);
  try {
    const response = await fetch(`${address}/health/ready`);
    const report = (await response.json()) as { phase?: string; checks?: Record<string, true | string> };
    const complaints = Object.entries(report.checks ?? {}).filter(([, answer]) => answer !== true);
    return { service, address, state: response.ok ? 'ready' : `not ready: ${complaints.map(([name, answer]) => `${name}: ${String(answer)}`).join('; ') || report.phase || response.status}` };
  } catch {
    return { service, address, state: 'down' };
  }
}

export const checkoutRoot = resolve(import.meta.dirname, '../../..');

/** Bytes of one service. @throws MillraceError as `call`. */
export async function download(service: ServiceName, path: string): Promise<Buffer> {
  const response = await fetch(`${addressOf(service)}${path}`);
  if (!response.ok) throw new MillraceError('INTERNAL', `${service} answered ${response.status} for ${path}`);
  return Buffer.from(await response.arrayBuffer());
}
