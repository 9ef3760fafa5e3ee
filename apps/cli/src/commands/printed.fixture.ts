import { jest } from '@jest/globals';
import { Command } from 'commander';

/** What a command writes to standard output when it is run with these words, the command's own name first. When it throws, the error has it as `printed`. */
export async function printedBy(add: (program: Command) => unknown, ...words: readonly string[]): Promise<string> {
  let printed = '';
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((printed += String(text)), true));
  try {
    const program = new Command().exitOverride();
    add(program);
    await program.parseAsync(['node', 'millrace', ...words]);
    return printed;
  } catch (error) {
    throw error instanceof Error ? Object.assign(error, { printed }) : error;
  } finally {
    write.mockRestore();
  }
}
