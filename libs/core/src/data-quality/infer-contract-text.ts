/** Finds the form that all texts of a column share: runs of digits and letters between the same other characters. */

interface Run {
  /** The character itself where it is neither digit nor letter of ASCII. */
  readonly literal: string | null;
  digits: boolean;
  upper: boolean;
  lower: boolean;
  /** Only a–f or A–F among the letters. */
  hex: boolean;
  min: number;
  max: number;
  leadingZero: boolean;
}

/** Runs of one class, or (coarser) of digits and letters together. null once two texts differ in their runs. */
export interface TextForm {
  texts: number;
  fine: Run[] | null;
  coarse: Run[] | null;
}

const [finePieces, coarsePieces] = [/[A-Z]+|[a-z]+|[0-9]+|[^A-Za-z0-9]/gu, /[A-Za-z0-9]+|[^A-Za-z0-9]/gu];
const runsMax = 24;
/** Fewer texts may look alike by chance. */
const textsMin = 20;

export const emptyTextForm = (): TextForm => ({ texts: 0, fine: [], coarse: [] });

function runOf(piece: string): Run {
  const word = /^[A-Za-z0-9]/u.test(piece);
  return {
    literal: word ? null : piece,
    digits: /[0-9]/u.test(piece), upper: /[A-Z]/u.test(piece), lower: /[a-z]/u.test(piece), hex: !/[g-zG-Z]/u.test(piece),
    min: piece.length, max: piece.length, leadingZero: /^0[0-9]/u.test(piece),
  };
}

function joined(runs: Run[] | null, first: boolean, pieces: readonly string[]): Run[] | null {
  if (runs === null || pieces.length > runsMax) return null;
  if (first) return pieces.map(runOf);
  if (runs.length !== pieces.length) return null;
  for (const [index, piece] of pieces.entries()) {
    const [run, other] = [runs[index], runOf(piece)];
    if (run === undefined || run.literal !== other.literal) return null;
    run.digits ||= other.digits;
    run.upper ||= other.upper;
    run.lower ||= other.lower;
    run.hex &&= other.hex;
    run.leadingZero ||= other.leadingZero;
    run.min = Math.min(run.min, other.min);
    run.max = Math.max(run.max, other.max);
  }
  return runs;
}

/** Runs that sit side by side belong to classes of their own: one class per run, or the texts only look alike in their lengths. */
const pure = (run: Run): boolean => run.literal !== null || [run.digits, run.upper, run.lower].filter(Boolean).length === 1;

export function observeText(form: TextForm, text: string): void {
  const first = form.texts === 0;
  form.texts += 1;
  if (form.fine !== null) form.fine = joined(form.fine, first, text.match(finePieces) ?? []);
  if (form.fine !== null && !form.fine.every(pure)) form.fine = null;
  if (form.coarse !== null) form.coarse = joined(form.coarse, first, text.match(coarsePieces) ?? []);
}

const escaped = (literal: string): string => literal.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');

function classOf({ digits, upper, lower, hex }: Run): string {
  if (digits && hex && upper !== lower) return upper ? '[0-9A-F]' : '[0-9a-f]';
  return `[${upper ? 'A-Z' : ''}${lower ? 'a-z' : ''}${digits ? '0-9' : ''}]`;
}

/** A run of digits without leading zeros may be a counter, which grows longer. */
function lengthOf(run: Run): string {
  const counter = run.digits && !run.upper && !run.lower && !run.leadingZero;
  if (run.min === run.max && !counter) return run.min === 1 ? '' : `{${run.min}}`;
  if (counter && run.min === run.max) return run.min === 1 ? '+' : `{${run.min},}`;
  return '+';
}

export interface FoundForm {
  readonly pattern: string;
  /** All texts are equally long and stay so. */
  readonly fixedLength: boolean;
  /** Texts may grow longer without end. */
  readonly open: boolean;
}

/** A pattern that holds all texts; null for free text, in which words and their number differ. */
export function formOf({ texts, fine, coarse }: TextForm): FoundForm | null {
  const runs = fine ?? coarse;
  if (texts < textsMin || runs === null || runs.length === 0 || runs.every(({ literal }) => literal !== null)) return null;
  const pattern = `^${runs.map((run) => (run.literal === null ? `${classOf(run)}${lengthOf(run)}` : escaped(run.literal))).join('')}$`;
  const open = runs.some((run) => run.digits && !run.upper && !run.lower && !run.leadingZero);
  return { pattern, open, fixedLength: !open && runs.every(({ min, max }) => min === max) };
}
