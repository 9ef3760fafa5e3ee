/**
 * Columns that every archive segment has besides the contract’s properties, and the Hive-style partitions of its path:
 * readers that know Hive layouts would let a partition hide a column of the same name.
 */
const taken = /^(value_)*(offset|record_id|event_time|contract_version|stream|kind|date)$/i;

/**
 * The Parquet column that holds a contract property: its own name, or `value_<name>` where that is taken (engines
 * compare names without case). Two properties never share a column.
 */
export function archiveColumn(property: string): string {
  return taken.test(property) ? `value_${property}` : property;
}
