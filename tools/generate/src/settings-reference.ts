import { access, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { services, type ServiceName } from '@millrace/contracts';
import { databaseSettings, platformSettings, type Setting } from '@millrace/service';
import { generatedNotice, table } from './markdown.js';

export interface SettingLine {
  readonly variable: string;
  readonly meaning: string;
  /** Absent: the setting is required. */
  readonly fallback?: string;
}

export interface ServiceSettings {
  readonly service: ServiceName;
  /** Own settings, and DATABASE_URL where the service keeps state; without what every service reads. */
  readonly settings: readonly SettingLine[];
}

const everywhere: readonly SettingLine[] = Object.values(platformSettings).map(lineOf);

/** A fallback below the machine’s temporary folder is written so that every machine generates the same text. */
function lineOf({ variable, meaning, fallback }: Pick<Setting<unknown>, 'variable' | 'meaning' | 'fallback'>): SettingLine {
  if (fallback === undefined) return { variable, meaning };
  return { variable, meaning, fallback: fallback.startsWith(tmpdir()) ? fallback.replace(tmpdir(), '<temporary folder>') : fallback };
}

function isSetting(value: unknown): value is SettingLine {
  return typeof value === 'object' && value !== null && 'variable' in value && typeof value.variable === 'string' && 'meaning' in value && typeof value.meaning === 'string';
}

/** Tools do not import apps: the built settings of each are loaded by path. @throws Error when a service is not built or exports no settings. */
export async function readServiceSettings(root: string): Promise<ServiceSettings[]> {
  return Promise.all(
    services.map(async (service) => {
      const path = join(root, 'apps', service, 'dist', `${service}.config.js`);
      await access(path).catch(() => {
        throw new Error(`${service} is not built; run: npm run build`);
      });
      const module = (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>;
      const tables = Object.entries(module).filter(([name, value]) => name.endsWith('Settings') && typeof value === 'object' && value !== null);
      if (tables.length === 0) throw new Error(`${service}.config.ts exports no settings`);
      const own = tables.flatMap(([, settings]) => Object.values(settings as object).filter(isSetting).map(lineOf));
      const database = (await keepsState(root, service)) ? Object.values(databaseSettings).map(lineOf) : [];
      return { service, settings: [...database, ...own] };
    }),
  );
}

/** The host reads DATABASE_URL for services that say so in main.ts, which cannot be imported: it would start the service. */
async function keepsState(root: string, service: ServiceName): Promise<boolean> {
  return /^\s*database: \{/m.test(await readFile(join(root, 'apps', service, 'src', 'main.ts'), 'utf8'));
}

/** Every variable that a service cannot start without. */
export function requiredVariables({ settings }: ServiceSettings): string[] {
  return [...everywhere, ...settings].filter(({ fallback }) => fallback === undefined).map(({ variable }) => variable);
}

/** Every variable that a service reads. */
export function knownVariables({ settings }: ServiceSettings): string[] {
  return [...everywhere, ...settings].map(({ variable }) => variable);
}

function settingsTable(settings: readonly SettingLine[]): string {
  return table(['variable', 'meaning', 'default'], settings.map(({ variable, meaning, fallback }) => [`\`${variable}\``, meaning, fallback === undefined ? '**required**' : `\`${fallback}\``]));
}

/** docs/settings.md */
export function settingsReference(all: readonly ServiceSettings[]): string {
  const sections = all.map(({ service, settings }) => `## ${service}\n${settings.length === 0 ? 'Nothing of its own.' : settingsTable(settings)}`);
  return `# Settings
${generatedNotice} Source: \`libs/platform/service/src/settings.ts\` and each service’s \`<service>.config.ts\`.

Settings come from the environment and are read once, at start. A service that cannot use its settings lists every mistake and exits.

## Every service
${settingsTable(everywhere)}

${sections.join('\n\n')}
`;
}

/** .env.example: each variable once, what is required first. */
export function environmentExample(all: readonly ServiceSettings[]): string {
  const readers = new Map<string, { line: SettingLine; services: ServiceName[] }>();
  for (const { service, settings } of all) {
    for (const line of settings) {
      const known = readers.get(line.variable);
      if (known === undefined) readers.set(line.variable, { line, services: [service] });
      else known.services.push(service);
    }
  }
  const entry = ({ variable, meaning, fallback }: SettingLine, who: string) => `# ${who}: ${meaning}\n${fallback === undefined ? `${variable}=` : `# ${variable}=${fallback}`}`;
  const entries = [...everywhere.map((line) => entry(line, 'every service')), ...[...readers.values()].map(({ line, services: who }) => entry(line, who.join(', ')))];
  const isRequired = (text: string) => !/^# [A-Z_]+=/m.test(text);
  return `# ${generatedNotice.replaceAll('`', '')}
# Settings of the services. What has no default must be set; what is commented out shows its default. PORT differs per service.

${[...entries.filter(isRequired), ...entries.filter((text) => !isRequired(text))].join('\n\n')}
`;
}
