import { spawn, type ChildProcess } from 'node:child_process';

// A worker reads its stream between runs and leaves when the host is gone, but a hung run would never look. This shell
// waits for the host's end instead: it learns of each worker (+ pid, - pid), and kills those left when its input ends.
const script = `
trap '' HUP INT TERM
pids=
while read -r verb pid; do
  case $verb in
    +) pids="$pids $pid" ;;
    -) rest=; for each in $pids; do [ "$each" = "$pid" ] || rest="$rest $each"; done; pids=$rest ;;
  esac
done
for each in $pids; do kill -9 "$each"; done 2>/dev/null
rm -rf -- "$1"
`;

/** Sees to it that neither a worker nor the folder of model files outlives this process, even when it is killed. */
export class ProcessGuard {
  readonly #shell: ChildProcess;
  readonly #ended: Promise<void>;

  /** @param folder removed at the end. */
  constructor(folder: string, onFailure: (reason: string) => void) {
    this.#shell = spawn('/bin/sh', ['-c', script, 'millrace-model-guard', folder], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
    this.#ended = new Promise((resolve) => {
      this.#shell.once('close', () => resolve());
      this.#shell.once('error', ({ message }) => {
        onFailure(message);
        resolve();
      });
    });
    this.#shell.stdin?.on('error', () => undefined); // told by 'error' or 'close' of the process
    this.#shell.unref();
  }

  add(pid: number): void {
    this.#shell.stdin?.write(`+ ${pid}\n`);
  }

  remove(pid: number): void {
    this.#shell.stdin?.write(`- ${pid}\n`);
  }

  /** Ends the guard, which kills what is left and removes the folder. */
  close(): Promise<void> {
    this.#shell.ref();
    this.#shell.stdin?.end();
    return this.#ended;
  }
}
