import { parquetReadObjects } from 'hyparquet';

/** Offsets at which a segment holds a record id, ascending. */
export async function idOffsets(bytes: Uint8Array, recordId: string): Promise<number[]> {
  const file = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(file).set(bytes);
  const rows = await parquetReadObjects({ file, columns: ['offset', 'record_id'], filter: { record_id: { $eq: recordId } }, useBloomFilters: true });
  return rows.map(({ offset }) => Number(offset)).sort((a, b) => a - b);
}
