import type { Tensors, TensorSpec } from '@millrace/contracts';

/** Tells which requests of a model may share a run: those with equal keys. */
export class RowKeys {
  /** Shapes are fixed but for the rows: every two requests fit together. */
  readonly #uniform: boolean;
  #joins: boolean;

  constructor(private readonly inputs: readonly TensorSpec[], outputs: readonly TensorSpec[], rowsMax: number) {
    // Rows may share a run only where the model declares dimension 0 of everything as free: it is then the row.
    this.#joins = rowsMax > 1 && inputs.length > 0 && [...inputs, ...outputs].every(({ shape }) => shape[0] === -1);
    this.#uniform = inputs.every(({ shape }) => !shape.slice(1).includes(-1));
  }

  rowsOf(feeds: Tensors): number {
    const first = this.inputs[0];
    return first === undefined ? 1 : (feeds[first.name]?.shape[0] ?? 1);
  }

  /** @returns null for a request that must run alone. */
  keyOf(feeds: Tensors, rows: number): string | null {
    if (!this.#joins) return null;
    let key = '';
    for (const { name } of this.inputs) {
      const shape = feeds[name]?.shape ?? [];
      if (shape[0] !== rows) return null;
      if (!this.#uniform) key += `${shape.slice(1).join(',')};`;
    }
    return key;
  }

  /** The model declares a row per row and gave something else: joined runs do not say whose answer is whose. */
  stopJoining(): void {
    this.#joins = false;
  }
}
