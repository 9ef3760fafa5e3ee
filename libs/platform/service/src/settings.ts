import { MillraceError, type Mistake } from '@millrace/contracts';

/** One setting: an environment variable, what it means with its unit, and how its text becomes a value. */
export interface Setting<T> {
  readonly variable: string;
  readonly meaning: string;
  /** As text, so that .env.example shows it; absent: the setting is required. */
  readonly fallback?: string;
  /** @throws Error with a sentence that says what would be accepted. */
  readonly read: (text: string) => T;
}

type Settings = Readonly<Record<string, Setting<unknown>>>;
export type ConfigOf<S extends Settings> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never };

export function text(variable: string, meaning: string, fallback?: string): Setting<string> {
  return setting(variable, meaning, fallback, (value) => value);
}

export function integer(variable: string, meaning: string, bounds: { min: number; max: number }, fallback?: number): Setting<number> {
  return setting(variable, meaning, fallback === undefined ? undefined : String(fallback), (value) => {
    const number = Number(value);
    if (!Number.isInteger(number) || number < bounds.min || number > bounds.max) throw new Error(`must be an integer from ${bounds.min} to ${bounds.max}, not ${JSON.stringify(value)}`);
    return number;
  });
}

export function list(variable: string, meaning: string, fallback?: string): Setting<readonly string[]> {
  return setting(variable, meaning, fallback, (value) => {
    const items = value.split(',').map((item) => item.trim()).filter((item) => item !== '');
    if (items.length === 0) throw new Error('must name at least one, separated by commas');
    return items;
  });
}

export function choice<const T extends readonly string[]>(variable: string, meaning: string, values: T, fallback: T[number]): Setting<T[number]> {
  return setting(variable, meaning, fallback, (value) => {
    const found = values.find((candidate) => candidate === value);
    if (found === undefined) throw new Error(`must be one of ${values.join(', ')}, not ${JSON.stringify(value)}`);
    return found;
  });
}

function setting<T>(variable: string, meaning: string, fallback: string | undefined, read: (text: string) => T): Setting<T> {
  return fallback === undefined ? { variable, meaning, read } : { variable, meaning, fallback, read };
}

/** Reads all settings once. @throws MillraceError CONFIG_INVALID that lists every mistake, not just the first. */
export function readSettings<S extends Settings>(settings: S, environment: Readonly<Record<string, string | undefined>>): ConfigOf<S> {
  const mistakes: Mistake[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, { variable, fallback, read, meaning }] of Object.entries(settings)) {
    const value = environment[variable] ?? fallback;
    if (value === undefined || (value === '' && fallback === undefined)) {
      mistakes.push({ path: variable, message: `is not set; it is ${meaning}` });
      continue;
    }
    try {
      config[name] = read(value);
    } catch (error) {
      mistakes.push({ path: variable, message: error instanceof Error ? error.message : String(error) });
    }
  }
  if (mistakes.length > 0) {
    const list = mistakes.map(({ path, message }) => `${path} ${message}`).join('; ');
    throw new MillraceError('CONFIG_INVALID', `${mistakes.length} setting${mistakes.length === 1 ? '' : 's'} cannot be used: ${list}`, { mistakes });
  }
  return Object.freeze(config) as ConfigOf<S>;
}

/** What every service reads. */
export const platformSettings = {
  host: text('HOST', 'the address its HTTP edge listens on', '127.0.0.1'),
  port: integer('PORT', 'the port of its HTTP edge; 0 takes a free one', { min: 0, max: 65_535 }),
  brokers: list('KAFKA_BROKERS', 'Kafka’s bootstrap servers, host:port, separated by commas'),
  logLevel: choice('LOG_LEVEL', 'the least important log line to print', ['fatal', 'error', 'warn', 'info', 'debug', 'trace'], 'info'),
  bodyLimitMb: integer('BODY_LIMIT_MB', 'the largest HTTP body, MiB', { min: 1, max: 1_024 }, 64),
  drainMs: integer('DRAIN_MS', 'how long the edge answers on after it has said that it is not ready, ms; three times as long while clients who asked lately have not heard it', { min: 0, max: 600_000 }, 250),
} as const;
export type PlatformConfig = ConfigOf<typeof platformSettings>;

export const databaseSettings = {
  databaseUrl: text('DATABASE_URL', 'PostgreSQL, postgres://user:password@host:port/database'),
} as const;

export const storageSettings = {
  storageUrl: text('STORAGE_URL', 'where artifacts and segments live: file:///folder or s3://bucket/prefix?endpoint=…'),
} as const;
