import { existsSync, rmSync } from 'node:fs';
import { extname } from 'node:path';
import { DuckDBDataChunk, DuckDBFloatVector, DuckDBInstance, DOUBLE, VARCHAR, type DuckDBConnection, type DuckDBType } from '@duckdb/node-api';
import { MillraceError } from '@millrace/contracts';
import { interpretOutput } from '@millrace/core/inference';
import { literal, quoted } from '../plain-files/read-table.js';
import type { OpenModel } from './open-model.js';
import type { RowSource, ScoredOffsets } from './row-source.js';

export interface ScoreOptions {
  readonly input: RowSource;
  readonly output: string;
  /** Columns of the input that the output repeats; default: those that are no features. */
  readonly keep?: readonly string[];
  /** Called after each step with the rows done. */
  onProgress(done: number, total: number): void;
}

export interface ScoreReport {
  readonly rows: number;
  /** Rows that an earlier, interrupted run had done. */
  readonly resumedAt: number;
  /** Where the rows stand in the log, when they come from the archive. */
  readonly offsets: readonly ScoredOffsets[];
  readonly seconds: number;
}

type Prediction = ReturnType<typeof interpretOutput>[number];
interface OutputColumn {
  readonly name: string;
  readonly type: DuckDBType;
  value(prediction: Prediction): number | string | null;
}

const formats: Readonly<Record<string, string>> = { '.parquet': 'FORMAT parquet', '.csv': 'FORMAT csv, HEADER', '.jsonl': 'FORMAT json', '.ndjson': 'FORMAT json' };
/** Rows per checkpoint: what an interrupted run does again at most. */
const checkpointRows = 100_000;

function outputColumns({ signature: { task, classes } }: OpenModel): OutputColumn[] {
  if (task === 'regression') return [{ name: 'prediction', type: DOUBLE, value: ({ value }) => value ?? null }];
  const label: OutputColumn = { name: 'label', type: VARCHAR, value: (prediction) => (prediction.label === undefined ? null : String(prediction.label)) };
  if (task === 'binary') return [label, { name: 'probability', type: DOUBLE, value: ({ probability }) => probability ?? null }];
  return [label, ...classes.map((name): OutputColumn => ({ name: `probability_${name}`, type: DOUBLE, value: ({ probabilities }) => probabilities?.[name] ?? null }))];
}

class Scoring {
  private constructor(
    private readonly connection: DuckDBConnection,
    private readonly instance: DuckDBInstance,
    private readonly open: OpenModel,
    private readonly options: ScoreOptions,
    private readonly columns: readonly OutputColumn[],
  ) {}

  static async over(open: OpenModel, options: ScoreOptions, partial: string): Promise<Scoring> {
    const instance = await DuckDBInstance.create(partial);
    const scoring = new Scoring(await instance.connect(), instance, open, options, outputColumns(open));
    // One zone everywhere, so that times are written the same on every machine.
    await scoring.connection.run(`SET TimeZone = 'UTC'; CREATE TABLE IF NOT EXISTS run (fingerprint VARCHAR)`);
    return scoring;
  }

  /** The rows as a table in DuckDB's SQL; known after `resume`. */
  private source = '';

  private async number(sql: string): Promise<number> {
    return Number((await this.connection.runAndReadAll(sql)).getRows()[0]?.[0] ?? 0);
  }

  /** Rows that stand from an interrupted run; 0 after clearing what another source or model left. */
  async resume(): Promise<number> {
    const mark = literal(`${this.open.sha256} ${this.options.input.fingerprint}`);
    const create = `CREATE TABLE IF NOT EXISTS scored (${this.columns.map(({ name, type }) => `${quoted(name)} ${type.toString()}`).join(', ')})`;
    if ((await this.number(`SELECT count(*) FROM run WHERE fingerprint = ${mark}`)) === 0) {
      await this.connection.run(`DROP TABLE IF EXISTS scored; DROP TABLE IF EXISTS source; DELETE FROM run; INSERT INTO run VALUES (${mark})`);
    }
    await this.connection.run(create);
    this.source = await this.options.input.open(this.connection, this.open.layout.features.map(({ name }) => name));
    return this.number('SELECT count(*) FROM scored');
  }

  async inputColumns(): Promise<string[]> {
    const described = await this.connection.runAndReadAll(`DESCRIBE SELECT * FROM ${this.source}`);
    const names = described.getRowObjects().map((row) => String(row['column_name']));
    const missing = this.open.layout.features.map(({ name }) => name).filter((name) => !names.includes(name));
    if (missing.length > 0) throw new MillraceError('REQUEST_INVALID', `${this.options.input.name} lacks the feature${missing.length === 1 ? '' : 's'} ${missing.join(', ')}; its columns are ${names.join(', ')}`);
    return names;
  }

  total(): Promise<number> {
    return this.number(`SELECT count(*) FROM ${this.source}`);
  }

  /** From row `start` on, in the order of the file. */
  async score(start: number, total: number): Promise<void> {
    const { features } = this.open.layout;
    const selected = features.map(({ name, type }) => (type === 'number' ? `coalesce(TRY_CAST(${quoted(name)} AS FLOAT), 'nan'::FLOAT)` : `coalesce(CAST(${quoted(name)} AS VARCHAR), '')`));
    const reader = await this.instance.connect();
    await reader.run(`SET TimeZone = 'UTC'`);
    const result = await reader.stream(`SELECT ${selected.join(', ')} FROM ${this.source} OFFSET ${start}`);
    let [done, saved] = [start, start];
    await this.connection.run('BEGIN');
    for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
      await this.append(await this.predict(chunk));
      done += chunk.rowCount;
      if (done - saved >= checkpointRows) {
        await this.connection.run('COMMIT; BEGIN');
        saved = done;
      }
      this.options.onProgress(done, total);
    }
    await this.connection.run('COMMIT');
    reader.closeSync();
  }

  private async predict(chunk: DuckDBDataChunk): Promise<Prediction[]> {
    const { layout, model, signature } = this.open;
    const given = layout.features.map(({ name }, index): [string, Float32Array | string[]] => {
      const vector = chunk.getColumnVector(index);
      return [name, vector instanceof DuckDBFloatVector ? Float32Array.from({ length: chunk.rowCount }, (_, row) => vector.getItem(row) ?? NaN) : (chunk.getColumnValues(index) as string[])];
    });
    return interpretOutput(await model.run(layout.feedsOfColumns(Object.fromEntries(given), chunk.rowCount)), signature, chunk.rowCount);
  }

  private async append(predictions: readonly Prediction[]): Promise<void> {
    const chunk = DuckDBDataChunk.create(this.columns.map(({ type }) => type), predictions.length);
    this.columns.forEach(({ value }, index) => chunk.setColumnValues(index, predictions.map(value)));
    const appender = await this.connection.createAppender('scored');
    appender.appendDataChunk(chunk);
    appender.closeSync();
  }

  /** Rows and predictions stand in the same order. */
  async write(keep: readonly string[]): Promise<void> {
    const kept = keep.length === 0 ? '' : `(SELECT ${keep.map(quoted).join(', ')} FROM ${this.source}) POSITIONAL JOIN `;
    const format = formats[extname(this.options.output).toLowerCase()] ?? '';
    await this.connection.run(`COPY (SELECT * FROM ${kept}scored) TO ${literal(this.options.output)} (${format})`);
  }

  places(): Promise<readonly ScoredOffsets[]> {
    return this.options.input.places(this.connection);
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

/**
 * Scores the rows of a file, or of the archive, into a file. Interrupted and run again, it goes on behind the last checkpoint, which waits in
 * `<output>.partial` until all is done.
 * @throws MillraceError REQUEST_INVALID for a file that is missing, of an unknown kind, or lacks a feature; DATASET_EMPTY for a range of the archive without rows; MODEL_RUN_FAILED.
 */
export async function scoreFile(open: OpenModel, options: ScoreOptions): Promise<ScoreReport> {
  if (formats[extname(options.output).toLowerCase()] === undefined) throw new MillraceError('REQUEST_INVALID', `${options.output}: only .csv, .jsonl and .parquet are written`);
  const partial = `${options.output}.partial`;
  const started = performance.now();
  const scoring = await Scoring.over(open, options, partial);
  try {
    const resumedAt = await scoring.resume();
    const columns = await scoring.inputColumns();
    const features = new Set(open.layout.features.map(({ name }) => name));
    const total = await scoring.total();
    await scoring.score(resumedAt, total);
    await scoring.write(options.keep ?? columns.filter((name) => !features.has(name)));
    return { rows: total, resumedAt, offsets: await scoring.places(), seconds: (performance.now() - started) / 1_000 };
  } catch (cause) {
    if (cause instanceof MillraceError) throw cause;
    throw new MillraceError('REQUEST_INVALID', `${options.input.name} cannot be scored: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  } finally {
    scoring.close();
    if (existsSync(options.output)) for (const file of [partial, `${partial}.wal`]) rmSync(file, { force: true });
  }
}
