import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';

/** A DuckDB of its own, in memory, single-threaded: row order and sums are then the same every time. */
export async function withDuckDb<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
  try {
    const connection = await instance.connect();
    try {
      // Extensions would be fetched from the network; what is used here (Parquet, time zones) is built in.
      await connection.run(`SET autoinstall_known_extensions = false`);
      await connection.run(`SET TimeZone = 'UTC'`);
      return await work(connection);
    } finally {
      connection.closeSync();
    }
  } finally {
    instance.closeSync();
  }
}

/** Rows as plain objects: 64-bit integers become numbers, timestamps Dates. */
export async function rowsOf(connection: DuckDBConnection, sql: string): Promise<Record<string, unknown>[]> {
  const reader = await connection.runAndReadAll(sql);
  return reader.getRowObjectsJS().map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? Number(value) : value])));
}
