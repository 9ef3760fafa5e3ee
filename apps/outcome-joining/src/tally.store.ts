import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { query, type Transaction } from '@millrace/persistence';
import { ofModel, ofStream, tallyNames, type Tally, type TallyName } from './tally.js';

export type Counts = Readonly<Record<TallyName, number>> & { readonly waiting: number };

/** What was counted, in the same transactions as what was done. */
@Injectable()
export class TallyStore {
  constructor(private readonly database: DataSource) {}

  /** `writer` names who counts (fold and partition): each has rows of its own. */
  async add(tally: Tally, writer: string, transaction: Transaction): Promise<void> {
    const entries = tally.entries();
    if (entries.length === 0) return;
    await transaction.query(
      `INSERT INTO tally AS t (subject, name, writer, count) SELECT subject, name, $1, count FROM unnest($2::text[], $3::text[], $4::bigint[]) AS n(subject, name, count)
       ON CONFLICT (subject, name, writer) DO UPDATE SET count = t.count + EXCLUDED.count`,
      [writer, entries.map(({ subject }) => subject), entries.map(({ name }) => name), entries.map(({ count }) => count)],
    );
  }

  /** Counters and the waiting rows themselves, of one moment (one statement), so that the account can be checked. */
  async read(model: string, stream: string): Promise<Counts> {
    const rows = await query<{ name: string; count: string }>(
      this.database,
      `SELECT name, sum(count) AS count FROM tally WHERE subject IN ($1, $2) GROUP BY name
       UNION ALL SELECT 'waiting', count(*) FROM prediction WHERE stream = $3 AND model = $4 AND state = 'open' AND counted`,
      [ofModel(model), ofStream(stream), stream, model],
    );
    const found = new Map(rows.map(({ name, count }) => [name, Number(count)]));
    return Object.fromEntries([...tallyNames, 'waiting'].map((name) => [name, found.get(name) ?? 0])) as Record<TallyName | 'waiting', number>;
  }
}
