/** Importing this lets packages be imported that publish their sources under the condition by which we find ours: Node strips no types in there. */
import { registerHooks } from 'node:module';

const publishing = /^eventsource-parser(\/|$)/;

registerHooks({
  resolve: (specifier, context, next) =>
    next(
      specifier,
      publishing.test(specifier)
        ? { ...context, conditions: context.conditions.filter((condition) => condition !== 'source') }
        : context,
    ),
});
