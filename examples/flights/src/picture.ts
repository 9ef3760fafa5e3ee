import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkoutFolder } from '@millrace/stack';
import { balanceLine, type Balance } from './chapters-evidence.js';
import type { StoryStep } from './timeline.js';

/** Draws the told story as a picture for the README: `npm run picture -w @millrace/flights`, after `npm start`. */
const source = join(checkoutFolder, '.millrace', 'story.json');
const target = join(checkoutFolder, 'docs', 'images', 'story.svg');

const lineHeight = 20;
const characters = 128;
const characterWidth = 7.8;
const colours = { background: '#0f1720', text: '#d7dee7', title: '#7fd1b9', mark: '#f2b866' } as const;

interface Story {
  readonly steps: readonly StoryStep[];
  readonly accounting: { readonly rows: readonly Balance[] } | null;
}

interface Line {
  readonly text: string;
  readonly colour: string;
  readonly bold: boolean;
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function wrapped(text: string, first: string, indent: string): string[] {
  const lines: string[] = [];
  let line = first;
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > characters) {
      lines.push(line);
      line = indent;
    }
    line = `${line}${line.endsWith(' ') ? '' : ' '}${word}`;
  }
  return [...lines, line];
}

function linesOf({ steps, accounting }: Story): Line[] {
  const lines: Line[] = [];
  for (const step of steps) {
    lines.push({ text: '', colour: colours.text, bold: false }, { text: ` ${step.step}  ${step.title}`, colour: colours.title, bold: true });
    for (const { eventTime, text } of step.lines) {
      const time = ` ${(eventTime ?? '').slice(0, 10).padEnd(10)}  `;
      const colour = /rolled-back|: failed|have moved|Concept drift|are in quarantine/.test(text) ? colours.mark : colours.text;
      for (const part of wrapped(text, time, ' '.repeat(time.length))) lines.push({ text: part, colour, bold: false });
    }
  }
  for (const row of accounting?.rows ?? []) lines.push({ text: `${' '.repeat(13)}${balanceLine(row)}`, colour: colours.text, bold: false });
  return lines;
}

const lines = linesOf(JSON.parse(readFileSync(source, 'utf8')) as Story);
const height = (lines.length + 2) * lineHeight;
const width = Math.ceil(characters * characterWidth + 40);
const body = lines.map(({ text, colour, bold }, index) => `<text x="20" y="${(index + 1.5) * lineHeight}" fill="${colour}"${bold ? ' font-weight="bold"' : ''} xml:space="preserve">${escaped(text)}</text>`);
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="13">
<title>The flights story as Millrace told it</title>
<rect width="100%" height="100%" rx="8" fill="${colours.background}"/>
${body.join('\n')}
</svg>
`;
mkdirSync(dirname(target), { recursive: true });
writeFileSync(target, svg);
process.stdout.write(`${target} is drawn from ${source}\n`);
