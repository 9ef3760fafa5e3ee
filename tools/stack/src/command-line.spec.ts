/*
 * Goal: the stack’s command understands what its help says and refuses everything else with a sentence.
 * Method: each documented form, and one mistake of each kind.
 */
import { describe, expect, it } from '@jest/globals';
import { readCommandLine } from './command-line.js';

describe('command line', () => {
  it('brings the ring up on the default ports when nothing is said', () => {
    expect(readCommandLine([])).toMatchObject({ action: 'up', portBase: 7400, only: undefined, reset: false });
  });

  it('reads every option', () => {
    const said = ['up', '--port-base', '9000', '--folder', '/somewhere', '--only', 'kafka,postgres', '--reset'];
    expect(readCommandLine(said)).toEqual({ action: 'up', portBase: 9000, folder: '/somewhere', only: ['kafka', 'postgres'], reset: true });
  });

  it('gives nothing to do when help is asked for', () => {
    expect(readCommandLine(['stop', '--help'])).toBeUndefined();
  });

  it.each([[['fly']], [['up', 'down']], [['--only', 'redis']], [['--colour']]])('refuses %p', (said) => {
    expect(() => readCommandLine(said)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  });
});
