export interface AliasMove {
  /** null: the alias was taken away. */
  readonly version: string | null;
  /** ISO 8601. */
  readonly movedAt: string;
}

/** Where the alias pointed at an instant: the last move not after it. null before the first move. Moves may stand in any order. */
export function aliasAt(moves: readonly AliasMove[], instant: string): string | null {
  const at = Date.parse(instant);
  let found: AliasMove | undefined;
  for (const move of moves) {
    const moved = Date.parse(move.movedAt);
    if (moved <= at && (found === undefined || moved >= Date.parse(found.movedAt))) found = move;
  }
  return found?.version ?? null;
}
