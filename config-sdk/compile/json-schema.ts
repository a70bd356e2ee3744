/** The schema of `snapshot.json` as JSON Schema, for tools that read artifacts without our code. */
import { snapshotFormat, snapshotSchema } from '@headgate/runtime/snapshot';
import { z } from 'zod';

/** It says less than the runtime demands: references, and rules between fields, have no form in it. */
export function snapshotJsonSchema(): object {
  const schema = z.toJSONSchema(snapshotSchema, { io: 'input', unrepresentable: 'any' });
  return { $schema: schema.$schema, $id: `urn:${snapshotFormat.replace('/', ':')}`, title: snapshotFormat, ...schema };
}
