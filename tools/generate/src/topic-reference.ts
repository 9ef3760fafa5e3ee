import { eventCatalogue, services, topicNames, topics, type ServiceName, type TopicDefinition, type TopicName } from '@millrace/contracts';
import { generatedNotice, table } from './markdown.js';

const definitions: Readonly<Record<TopicName, TopicDefinition>> = topics;

/** What deploy examples start with; all record-keyed topics must share one count, whatever it is. */
const recordPartitions = 4;
/** Written by whichever service meets a bad event, though the table names one owner. */
const writtenByAll: readonly TopicName[] = ['messaging.event-refused.v1'];

/** docs/topics.md */
export function topicReference(): string {
  const rows = topicNames.map((topic) => {
    const { key, writtenBy, readBy, cleanup, fact } = definitions[topic];
    return [`[\`${topic}\`](schemas/${topic}.json)`, key, writtenByAll.includes(topic) ? 'every service' : writtenBy, readBy.join(', '), cleanup, fact];
  });
  return `# Topics
${generatedNotice} Source: \`libs/contracts/src/topics.ts\`.

Events are CloudEvents 1.0 in Kafka’s binary mode: attributes in \`ce_*\` headers, JSON as the value, \`traceparent\` passed on. The schema of each value is linked from its topic’s name.
Topics keyed by the record key share one partition count, so that joins are local to a partition. Users’ own record and label topics are named in their data contracts and read by ingestion.

${table(['topic', 'key', 'written by', 'read by', 'cleanup', 'fact'], rows)}
`;
}

/** docs/schemas/<topic>.json */
export function eventSchemas(): { topic: TopicName; schema: object }[] {
  return topicNames.map((topic) => ({
    topic,
    schema: { $schema: 'https://json-schema.org/draft/2020-12/schema', $id: `urn:millrace:${topic}`, title: topic, description: definitions[topic].fact, ...eventCatalogue[topic].schema },
  }));
}

const partitionsOf = (topic: TopicName): number => (definitions[topic].key === 'record key' ? recordPartitions : 1);

/** deploy/kafka/topics.json: for whoever creates topics with a tool of their own. */
export function topicList(): object[] {
  return topicNames.map((topic) => ({ topic, partitions: partitionsOf(topic), config: { 'cleanup.policy': definitions[topic].cleanup } }));
}

/** deploy/kafka/create-topics.sh: the one-shot job of the compose file. */
export function createTopicsScript(): string {
  const lines = topicNames.map((topic) => `create ${topic} ${definitions[topic].key === 'record key' ? '"$RECORD_PARTITIONS"' : '1'} ${definitions[topic].cleanup}`);
  return `#!/bin/sh
# ${generatedNotice.replaceAll('`', '')}
# Creates the topics of the ring that do not exist yet.
# BROKERS: bootstrap servers. RECORD_PARTITIONS: of every record-keyed topic; choose before the first start, it cannot change later.
set -eu
BROKERS="\${BROKERS:?host:port of Kafka}"
RECORD_PARTITIONS="\${RECORD_PARTITIONS:-${recordPartitions}}"
REPLICATION_FACTOR="\${REPLICATION_FACTOR:-1}"
KAFKA_TOPICS="\${KAFKA_TOPICS:-/opt/kafka/bin/kafka-topics.sh}"

create() {
  "$KAFKA_TOPICS" --bootstrap-server "$BROKERS" --create --if-not-exists --topic "$1" --partitions "$2" --replication-factor "$REPLICATION_FACTOR" --config "cleanup.policy=$3"
}

${lines.join('\n')}
`;
}

const writtenBy = (service: ServiceName): TopicName[] => topicNames.filter((topic) => definitions[topic].writtenBy === service || writtenByAll.includes(topic));
const readBy = (service: ServiceName): TopicName[] => topicNames.filter((topic) => definitions[topic].readBy.includes(service));

/** What one service’s principal needs, as arguments of kafka-acls.sh. */
function grantsOf(service: ServiceName): string[] {
  const readsTables = readBy(service).some((topic) => definitions[topic].cleanup === 'compact');
  return [
    ...writtenBy(service).map((topic) => `--operation Write --operation Describe --topic ${topic}`),
    ...readBy(service).map((topic) => `--operation Read --operation Describe --topic ${topic}`),
    `--operation Read --operation Describe --resource-pattern-type prefixed --group ${service}.`,
    ...(readsTables ? ['--operation Read --operation Describe --resource-pattern-type prefixed --group table.'] : []),
    `--operation Write --operation Describe --resource-pattern-type prefixed --transactional-id ${service}.`,
    '--operation IdempotentWrite --cluster',
  ];
}

/** deploy/kafka/acls.md */
export function aclExamples(): string {
  const sections = services.map((service) => {
    const commands = grantsOf(service).map((grant) => `kafka-acls.sh --bootstrap-server "$BROKERS" --add --allow-principal User:${service} ${grant}`);
    return `## ${service}\n\`\`\`sh\n${commands.join('\n')}\n\`\`\``;
  });
  return `# Kafka access lists: an example
${generatedNotice} Source: \`libs/contracts/src/topics.ts\`.

One principal per service, named as the service. Consumer groups and transactional ids begin with the service’s name. Readers of compacted topics use a new group \`table.<topic>.<random>\` at each start.
At start every service asks whether all topics of the ring exist, so each principal also needs to describe them:
\`\`\`sh
${services.map((service) => `kafka-acls.sh --bootstrap-server "$BROKERS" --add --allow-principal User:${service} --operation Describe --topic '*'`).join('\n')}
\`\`\`
Ingestion also reads the producers’ topics that data contracts name (\`--operation Read --topic <theirs>\`), and creates them only when \`CREATE_PRODUCER_TOPICS\` is 1.

${sections.join('\n\n')}
`;
}
