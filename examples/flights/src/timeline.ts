import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type Figures = Readonly<Record<string, string | number | boolean | null>>;

export interface StoryStep {
  readonly step: number;
  readonly title: string;
  readonly startedAt: string;
  endedAt: string | null;
  wallSeconds: number | null;
  outcome: 'running' | 'happened' | 'failed';
  readonly lines: StoryLine[];
}

export interface StoryLine {
  readonly wallTime: string;
  readonly eventTime: string | null;
  readonly text: string;
  readonly figures: Figures;
}

const colours = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
const wrapAt = 118;

/** Breaks a line between words so that it reads in a terminal of 120 columns. */
function wrapped(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + word.length + 1 > wrapAt) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  return lines.join(`\n${indent}`);
}

/** Tells the story on the terminal as it happens, and keeps every line with its times and figures for story.json. */
export class Timeline {
  private readonly steps: StoryStep[] = [];
  private readonly startedAt = new Date();
  private progressShown = false;
  accounting: unknown = null;

  constructor(private readonly file: string) {}

  begin(title: string): void {
    const step: StoryStep = { step: this.steps.length + 1, title, startedAt: new Date().toISOString(), endedAt: null, wallSeconds: null, outcome: 'running', lines: [] };
    this.steps.push(step);
    this.print(`\n${paint(1, ` ${step.step}  ${title}`)}`);
  }

  /** `eventTime` is the time in the data; the wall clock since the start is shown beside it. */
  tell(eventTime: string | null, text: string, figures: Figures = {}): void {
    this.current().lines.push({ wallTime: new Date().toISOString(), eventTime, text, figures });
    const clock = paint(2, `${this.elapsed()}  ${eventTime === null ? ' '.repeat(16) : eventTime.slice(0, 16).replace('T', ' ')}  `);
    this.print(`${clock}${wrapped(text, ' '.repeat(26))}`);
  }

  /** One line that is overwritten; on a plain pipe it is left out. */
  progress(text: string): void {
    if (!colours) return;
    process.stdout.write(`\r\u001b[K${paint(2, `${this.elapsed()}  ${text}`)}`);
    this.progressShown = true;
  }

  end(): void {
    this.close('happened');
  }

  fail(reason: string): void {
    this.tell(null, paint(31, reason));
    this.close('failed');
  }

  get failed(): boolean {
    return this.steps.some(({ outcome }) => outcome === 'failed');
  }

  print(text: string): void {
    if (this.progressShown) process.stdout.write('\r\u001b[K');
    this.progressShown = false;
    process.stdout.write(`${text}\n`);
  }

  save(): void {
    mkdirSync(dirname(this.file), { recursive: true });
    const story = { startedAt: this.startedAt.toISOString(), wallSeconds: (Date.now() - this.startedAt.getTime()) / 1000, steps: this.steps, accounting: this.accounting };
    writeFileSync(`${this.file}.tmp`, `${JSON.stringify(story, null, 2)}\n`);
    renameSync(`${this.file}.tmp`, this.file);
  }

  private close(outcome: 'happened' | 'failed'): void {
    const step = this.current();
    step.endedAt = new Date().toISOString();
    step.wallSeconds = (Date.parse(step.endedAt) - Date.parse(step.startedAt)) / 1000;
    step.outcome = outcome;
    this.save();
  }

  private current(): StoryStep {
    const step = this.steps[this.steps.length - 1];
    if (step === undefined) throw new Error('no step has begun');
    return step;
  }

  private elapsed(): string {
    const seconds = Math.floor((Date.now() - this.startedAt.getTime()) / 1000);
    return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
  }
}
