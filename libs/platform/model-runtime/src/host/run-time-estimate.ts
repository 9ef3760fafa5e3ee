// How much the last runs count against those before: after 20 runs an old one weighs an eighth.
const decay = 0.9;
// A longer batch is worth its wait while it saves this share of its time, or while it is short anyhow.
const savingMin = 0.05;
const shortMs = 10;

/**
 * What a run of n rows will take: ms = fixed + perRow · n, by least squares over the last runs, weights falling by 0.9 a run
 * (the rule of BentoML's dispatcher, with forgetting). Without two different sizes the cost is taken as proportional.
 */
export class RunTimeEstimate {
  #weight = 0;
  #rows = 0;
  #ms = 0;
  #rowsRows = 0;
  #rowsMs = 0;
  #fixedMs = 0;
  #rowMs = 0;

  add(rows: number, ms: number): void {
    this.#weight = this.#weight * decay + 1;
    this.#rows = this.#rows * decay + rows;
    this.#ms = this.#ms * decay + ms;
    this.#rowsRows = this.#rowsRows * decay + rows * rows;
    this.#rowsMs = this.#rowsMs * decay + rows * ms;
    this.#fit();
  }

  get known(): boolean { return this.#weight > 0; }

  /** Milliseconds of one run of so many rows; 0 before the first run. */
  runMs(rows: number): number {
    return this.#fixedMs + this.#rowMs * rows;
  }

  /** Milliseconds for rows that wait, run in batches of at most `batchRows`. */
  waitMs(rows: number, batchRows: number): number {
    return Math.ceil(rows / batchRows) * this.#fixedMs + this.#rowMs * rows;
  }

  /** Above this size a batch only makes its calls wait: the fixed cost is no longer worth sharing. */
  get usefulRows(): number {
    return this.#rowMs === 0 ? Infinity : Math.max(shortMs, this.#fixedMs / savingMin) / this.#rowMs;
  }

  #fit(): void {
    const [meanRows, meanMs] = [this.#rows / this.#weight, this.#ms / this.#weight];
    const variance = this.#rowsRows / this.#weight - meanRows * meanRows;
    const slope = variance > (0.05 * meanRows) ** 2 ? (this.#rowsMs / this.#weight - meanRows * meanMs) / variance : Infinity;
    if (slope < 0 || meanRows === 0) [this.#rowMs, this.#fixedMs] = [0, meanMs];
    else if (slope * meanRows > meanMs) [this.#rowMs, this.#fixedMs] = [meanMs / meanRows, 0];
    else [this.#rowMs, this.#fixedMs] = [slope, meanMs - slope * meanRows];
  }
}
