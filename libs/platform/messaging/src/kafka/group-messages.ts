interface Grouping {
  readonly topic: string;
  readonly partitionMetadata: readonly unknown[];
  readonly messages: readonly unknown[];
  readonly partitioner: (message: { topic: string; partitionMetadata: readonly unknown[]; message: unknown }) => number;
}

/** As kafkajs’s own, which copies the list of a partition for each message of it. */
export function groupMessagesPerPartition({ topic, partitionMetadata, messages, partitioner }: Grouping): Record<number, unknown[]> {
  const groups: Record<number, unknown[]> = {};
  if (partitionMetadata.length === 0) return groups;
  for (const message of messages) {
    const partition = partitioner({ topic, partitionMetadata, message });
    const group = groups[partition];
    if (group === undefined) groups[partition] = [message];
    else group.push(message);
  }
  return groups;
}
