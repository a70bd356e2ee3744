/** Lists what the consumer may ask for, in the surface's own words. */
import { HeadgateError } from '../errors.ts';
import type { Exchange } from '../exchange.ts';
import type { Surface } from '../surfaces/surface.ts';
import { identify } from './identify.ts';
import { withheld } from './withheld.ts';

export function modelsLine(exchange: Exchange & { readonly surface: Surface }, name: string | undefined): void {
  const { consumer, generation, reply, surface } = identify(exchange);
  const { tables } = generation;
  const usable = [...tables.models.keys()].filter((model) => withheld(consumer, model, tables) === undefined);
  if (name !== undefined && !usable.includes(name))
    throw new HeadgateError('model_not_found', `No model named '${name}' is configured for you.`, { param: 'model' });
  const body = name === undefined ? surface.writeModels(usable.sort()) : surface.writeModel(name);
  reply.whole(200, 'application/json', JSON.stringify(body));
}
