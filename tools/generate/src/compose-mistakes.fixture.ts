import { services, type ServiceName } from '@millrace/contracts';
import { containerPort } from './prometheus-configuration.js';

export interface ComposeService {
  image?: string;
  build?: { context: string; dockerfile: string; target: string };
  ports?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  depends_on?: string[] | Record<string, { condition: string }>;
}

export interface Compose {
  services: Record<string, ComposeService | undefined>;
  volumes: Record<string, object>;
}

export interface LintInputs {
  readonly dockerfile: string;
  readonly settingsOf: (service: ServiceName) => readonly { readonly variable: string; readonly required: boolean }[];
  /** Whether a path relative to the compose file is there. */
  readonly exists: (path: string) => boolean;
}

function mistakesOfApp(name: ServiceName, service: ComposeService | undefined, { dockerfile, settingsOf }: LintInputs): string[] {
  if (service === undefined) return ['is no service of the compose file'];
  const target = service.build?.target ?? 'none';
  const environment = service.environment ?? {};
  const settings = settingsOf(name);
  const known = new Set(settings.map(({ variable }) => variable));
  return [
    ...(target === name ? [] : [`builds the target ${target}`]),
    ...(new RegExp(` AS ${target}$`, 'm').test(dockerfile) ? [] : [`the Dockerfile has no target ${target}`]),
    ...(environment['PORT'] === String(containerPort) ? [] : [`PORT is not the container’s ${containerPort}`]),
    ...(service.ports?.[0]?.endsWith(`:${containerPort}`) === true ? [] : [`does not publish ${containerPort}`]),
    ...settings.filter(({ variable, required }) => required && environment[variable] === undefined).map(({ variable }) => `${variable} is required and not set`),
    ...Object.keys(environment).filter((variable) => !known.has(variable)).map((variable) => `${variable} is no setting of it`),
  ];
}

function mistakesOfAny(service: ComposeService, compose: Compose, exists: LintInputs['exists']): string[] {
  const ownImage = service.build !== undefined;
  const needed = Array.isArray(service.depends_on) ? service.depends_on : Object.keys(service.depends_on ?? {});
  const places = (service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '');
  return [
    ...(ownImage || /:v?\d+\.\d+(\.\d+)?(-[\w.]+)?$/.test(service.image ?? '') ? [] : [`the image ${service.image ?? ''} is not pinned`]),
    ...(service.ports ?? []).filter((port) => !port.startsWith('127.0.0.1:')).map((port) => `${port} listens beyond 127.0.0.1`),
    ...needed.filter((name) => compose.services[name] === undefined).map((name) => `waits for ${name}, which is not there`),
    ...places.filter((place) => (place.startsWith('.') ? !exists(place) : compose.volumes[place] === undefined)).map((place) => `${place} does not exist`),
  ];
}

/** Everything that Docker would find out only when it runs, sorted. */
export function composeMistakes(compose: Compose, inputs: LintInputs): string[] {
  const published = Object.values(compose.services).flatMap((service) => service?.ports ?? []);
  const twice = published.filter((port, index) => published.findIndex((other) => other.split(':')[1] === port.split(':')[1]) !== index);
  return [
    ...services.flatMap((name) => mistakesOfApp(name, compose.services[name], inputs).map((mistake) => `${name}: ${mistake}`)),
    ...Object.entries(compose.services).flatMap(([name, service]) => (service === undefined ? [] : mistakesOfAny(service, compose, inputs.exists).map((mistake) => `${name}: ${mistake}`))),
    ...twice.map((port) => `${port} is published twice`),
  ].sort();
}
