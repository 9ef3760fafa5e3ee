export interface KafkaLayout {
  readonly port: number;
  readonly controllerPort: number;
  readonly logFolder: string;
}

/** Any 22 characters of base64 that decode to 16 bytes will do; one cluster per folder. */
export const clusterId = '4L6g3nShT-eMCtK--X86sw';

/**
 * One broker that is its own controller, for one small machine. What differs from Kafka's defaults, and why:
 * the cleaner's buffer would take 128 MB of heap; the offset and transaction topics would have 50 partitions each;
 * the first rebalance would wait 3 s; a broker that was killed could not register again for 9 s;
 * consumer sessions shorter than 6 s are refused, but tests of failure want them.
 */
export function kafkaProperties({ port, controllerPort, logFolder }: KafkaLayout): string {
  const properties: Readonly<Record<string, string | number | boolean>> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': logFolder,
    'auto.create.topics.enable': false,
    'num.partitions': 4,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1_000,
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 3_000,
    'log.cleaner.dedupe.buffer.size': 16_777_216,
    'log.index.size.max.bytes': 1_048_576,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'num.recovery.threads.per.data.dir': 2,
    'queued.max.requests': 100,
    'compression.type': 'producer',
  };
  return `${Object.entries(properties).map(([key, value]) => `${key}=${value}`).join('\n')}\n`;
}

/** Log4j: warnings and what start-up tells, to standard output, which is the log file. */
export const log4jConfiguration = `status=warn
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %c{1}: %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
logger.server.name=kafka.server
logger.server.level=info
`;
