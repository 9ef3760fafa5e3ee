import { Injectable } from '@nestjs/common';
import { routeChanged, type RouteChanged, type RouteTarget } from '@millrace/contracts';
import { candidatesOf } from '@millrace/core/inference';
import { Messaging, type CompactedTable, type Delivery } from '@millrace/messaging';

const modelFirst = Buffer.from('{"model":"');
const quote = 0x22;

export type RouteUnderWay = RouteChanged & { readonly candidate: NonNullable<RouteChanged['candidate']> };

/**
 * Which models have a candidate at this moment. Read from the topic that the gateways follow, not from the database, so that
 * an answer can be passed over without asking anybody, in every instance of this service.
 */
@Injectable()
export class RoutesUnderWay {
  private table: Promise<CompactedTable<typeof routeChanged>> | undefined;
  private routes: CompactedTable<typeof routeChanged> | undefined;
  private readonly views = new WeakMap<RouteChanged, readonly RouteUnderWay[]>();

  constructor(private readonly messaging: Messaging) {}

  async start(): Promise<void> {
    this.table ??= this.messaging.table(routeChanged);
    this.routes = await this.table;
  }

  /** The route in force of a model whose roll-outs are under way, as it is for each of its candidates. */
  of(model: string): readonly RouteUnderWay[] {
    const route = this.routes?.get(model);
    if (route === undefined || route.candidate === null) return [];
    let views = this.views.get(route);
    if (views === undefined) this.views.set(route, (views = candidatesOf<RouteTarget>(route).map((candidate) => ({ ...route, candidate }))));
    return views;
  }

  /** Without decoding: the gateway writes the model first. What was written otherwise is decoded. */
  readonly concerns = ({ value }: Pick<Delivery, 'value'>): boolean => {
    if (value === null) return false;
    if (modelFirst.compare(value, 0, modelFirst.length) !== 0) return true;
    const model = value.toString('utf8', modelFirst.length, value.indexOf(quote, modelFirst.length));
    const route = this.routes?.get(model);
    return route !== undefined && route.candidate !== null;
  };
}
