import type { Departure } from './flight-events.js';

/**
 * The departures team ships a bad release for one day. It reaches the three airports with three different faults, and
 * now and then a message is cut off.
 */
export const badDay = { from: '2013-03-15T04:00:00Z', to: '2013-03-16T04:00:00Z' } as const;

export const kilometresPerMile = 1.609344;

export function isBadDay(eventTime: string): boolean {
  return eventTime >= badDay.from && eventTime < badDay.to;
}

/** EWR renames `dest`, JFK sends kilometres, LGA counts hours from the day before. */
export function spoil(departure: Departure): Record<string, unknown> {
  switch (departure['origin']) {
    case 'EWR': {
      const { dest, ...rest } = departure;
      return { ...rest, destination: dest };
    }
    case 'JFK':
      return { ...departure, distance: Number(departure['distance']) * kilometresPerMile };
    default:
      return { ...departure, hour: Number(departure['hour']) + 24 };
  }
}

/** What operators declare to mend the day’s records; `millrace quarantine replay --fix` takes the same. */
export const fix = {
  operations: [
    { rename: { from: 'destination', to: 'dest' }, when: { field: 'dest', missing: true } },
    { multiply: { field: 'distance', by: 1 / kilometresPerMile }, when: { field: 'origin', equals: 'JFK' } },
    { round: { field: 'distance' } },
    { add: { field: 'hour', by: -24 }, when: { field: 'hour', above: 23 } },
  ],
} as const;
