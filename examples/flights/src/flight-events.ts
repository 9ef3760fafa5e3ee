import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { MillraceError } from '@millrace/contracts';

export interface Departure {
  readonly flight_id: string;
  readonly event_time: string;
  readonly [field: string]: string | number | null;
}

/** One thing that happened: a flight is about to depart, or has landed. `t` is when that became known. */
export interface FlightEvent {
  readonly t: string;
  readonly kind: 'departure' | 'arrival';
  readonly value: Departure & { readonly late?: boolean };
}

/** The prepared flights in event-time order, read line by line: half a year does not fit a small heap. */
export class FlightEvents {
  private readonly lines: AsyncIterator<string>;
  private upcoming: FlightEvent | undefined;
  private ended = false;

  constructor(file: string) {
    const stream = createReadStream(file);
    stream.on('error', (cause) => {
      throw new MillraceError('DEPENDENCY_UNAVAILABLE', `${file} cannot be read; \`npm start\` prepares it`, { cause });
    });
    this.lines = createInterface({ input: stream, crlfDelay: Infinity })[Symbol.asyncIterator]();
  }

  private async peek(): Promise<FlightEvent | undefined> {
    if (this.upcoming === undefined && !this.ended) {
      const { value, done } = await this.lines.next();
      if (done === true) this.ended = true;
      else this.upcoming = JSON.parse(value) as FlightEvent;
    }
    return this.upcoming;
  }

  /** At most `count` events that came before `before`; empty when there are none left. */
  async take(count: number, before: string): Promise<FlightEvent[]> {
    const taken: FlightEvent[] = [];
    while (taken.length < count) {
      const event = await this.peek();
      if (event === undefined || event.t >= before) break;
      taken.push(event);
      this.upcoming = undefined;
    }
    return taken;
  }
}
