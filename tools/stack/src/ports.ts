import { createServer } from 'node:net';
import { MillraceError, services, type ServiceName } from '@millrace/contracts';

export const defaultPortBase = 7400;
/** How many ports from the base on belong to one stack. */
export const portsPerStack = 30;
const servicePortOffset = 10;

const offsets = { kafka: 0, kafkaController: 1, postgres: 2, prometheus: 20 } as const;

/** The order is part of the interface: addresses that people bookmark do not move when the topic table does. */
const servicePlaces: Readonly<Record<ServiceName, number>> = {
  'inference-gateway': 0,
  ingestion: 1,
  'data-validation': 2,
  'outcome-joining': 3,
  'drift-monitoring': 4,
  'training-orchestrator': 5,
  'model-registry': 6,
  'rollout-controller': 7,
};

export interface StackPorts {
  readonly base: number;
  readonly kafka: number;
  readonly kafkaController: number;
  readonly postgres: number;
  readonly prometheus: number;
  readonly services: Readonly<Record<ServiceName, number>>;
}

export interface NamedPort {
  readonly port: number;
  readonly purpose: string;
}

/** Every port of a stack follows from its base. @throws MillraceError CONFIG_INVALID when a port would leave 1024–65535. */
export function portsFrom(base: number = defaultPortBase): StackPorts {
  if (!Number.isInteger(base) || base < 1024 || base + portsPerStack > 65_536) {
    throw new MillraceError('CONFIG_INVALID', `--port-base must be an integer from 1024 to ${65_536 - portsPerStack}, not ${base}`);
  }
  const ofServices = {} as Record<ServiceName, number>;
  for (const name of services) ofServices[name] = base + servicePortOffset + servicePlaces[name];
  return {
    base,
    kafka: base + offsets.kafka,
    kafkaController: base + offsets.kafkaController,
    postgres: base + offsets.postgres,
    prometheus: base + offsets.prometheus,
    services: ofServices,
  };
}

/** What listens when nothing existing is used instead; prometheus is left out, since a stack does not start it. */
export function portsWithPurpose(ports: StackPorts): readonly NamedPort[] {
  return [
    { port: ports.kafka, purpose: 'Kafka' },
    { port: ports.kafkaController, purpose: 'Kafka’s controller' },
    { port: ports.postgres, purpose: 'PostgreSQL' },
    ...services.map((name) => ({ port: ports.services[name], purpose: name })),
  ];
}

export async function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** @throws MillraceError PORT_IN_USE that names every taken port, what it is for, and the way out. */
export async function assertPortsFree(ports: readonly NamedPort[]): Promise<void> {
  const taken: NamedPort[] = [];
  for (const candidate of ports) if (!(await isPortFree(candidate.port))) taken.push(candidate);
  if (taken.length === 0) return;
  const list = taken.map(({ port, purpose }) => `${port} (${purpose})`).join(', ');
  throw new MillraceError('PORT_IN_USE', `another process listens on 127.0.0.1:${list}; stop it, or choose other ports with --port-base <n>`);
}

/** A base whose ports are all free now; `from` on, in steps of one stack. For tests and checks that run beside a stack. */
export async function findFreePortBase(from = 17_400, until = 27_000): Promise<number> {
  // Where to begin depends on the process, so that two test runs on one machine rarely race for the same base.
  const steps = Math.floor((until - from) / portsPerStack);
  for (let step = 0; step < steps; step += 1) {
    const base = from + ((process.pid + step) % steps) * portsPerStack;
    const wanted = Array.from({ length: portsPerStack }, (_, offset) => base + offset);
    const free = await Promise.all(wanted.map(isPortFree));
    if (free.every(Boolean)) return base;
  }
  throw new MillraceError('PORT_IN_USE', `no ${portsPerStack} free ports in a row from ${from} to ${until}`);
}
