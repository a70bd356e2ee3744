/** The names that properties of a configuration have, for somebody who wrote another one. */
import {
  policyKinds,
  providerKinds,
  schemaOf,
  snapshotSchema,
  strategyKinds,
  type SchemaMaker,
} from '@headgate/runtime/snapshot';
import { z } from 'zod';
import { near } from '../explain/near.ts';

interface Schema {
  readonly [key: string]: unknown;
}

function* namesIn(schema: unknown): Generator<string> {
  if (typeof schema !== 'object' || schema === null) return;
  const { properties } = schema as Schema;
  if (typeof properties === 'object' && properties !== null) yield* Object.keys(properties);
  for (const each of Object.values(schema)) yield* namesIn(each);
}

const optionsOf = (kinds: Readonly<Record<string, { readonly options: SchemaMaker }>>): z.ZodType[] =>
  Object.values(kinds).map(({ options }) => schemaOf(options));

/** The name that was most likely meant. Of all objects together: asked only when one is wrong. */
export function nearProperty(name: string): string | undefined {
  const schemas = [snapshotSchema, ...optionsOf(providerKinds), ...optionsOf(policyKinds), ...optionsOf(strategyKinds)];
  const names = schemas.flatMap((each) => [...namesIn(z.toJSONSchema(each, { io: 'input', unrepresentable: 'any' }))]);
  return near(name, [...new Set(names)])[0];
}
