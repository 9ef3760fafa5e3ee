import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { DataOf, EventDefinition } from '@millrace/contracts';
import { decodeEvent, type Delivery, type LogDriver, type Received } from '@millrace/messaging';
import { launch, requiredFromEnvironment, type RunningServer } from '@millrace/testing';

/**
 * The built service as the stack starts it: a process of its own, with a real Kafka. Resolves when it is ready.
 * @param folder holds its storage, its spool and its log, and outlives it.
 */
export function startGatewayProcess(folder: string, settings: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
  const environment = (port: number) => ({ KAFKA_BROKERS: requiredFromEnvironment('KAFKA_BROKERS'), STORAGE_URL: `file://${folder}/storage`, SPOOL_FOLDER: join(folder, 'spool'), PORT: String(port), HOST: '127.0.0.1', LOG_LEVEL: 'info', ...settings });
  return launch({ name: 'the gateway', program: process.execPath, parameters: () => [join(import.meta.dirname, '../dist/main.js')], environment, readyPath: '/health/ready', log: join(folder, `gateway-${randomUUID()}.log`) });
}

/** Events of one type that name `text`, from now on; what others have left in the log is passed over. */
export async function tail<D extends EventDefinition>(driver: LogDriver, definition: D, text: string): Promise<{ readonly seen: (Received<DataOf<D>> & Pick<Delivery, 'headers'>)[]; stop(): Promise<void> }> {
  const seen: (Received<DataOf<D>> & Pick<Delivery, 'headers'>)[] = [];
  const starts = new Map((await driver.watermarks(definition.type)).map(({ partition, high }) => [partition, high]));
  const consumption = await driver.consume({
    group: `tail.${randomUUID()}`,
    topics: [definition.type],
    onBatch: async (deliveries, context) => {
      const [first] = deliveries;
      const start = starts.get(first?.partition ?? -1) ?? 0;
      if (first !== undefined && first.offset < start) return context.seek(start);
      seen.push(...deliveries.filter(({ value }) => value?.includes(text) === true).map((delivery) => ({ ...decodeEvent(definition, delivery), headers: delivery.headers })));
    },
  });
  return { seen, stop: () => consumption.stop() };
}
