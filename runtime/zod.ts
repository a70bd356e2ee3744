/** zod as those are given it who say what may be written: whoever only serves asks for no schema, and never loads it. */
import type { z } from 'zod';

export type Zod = typeof z;

export type SchemaMaker = (zod: Zod) => z.ZodType;

/** What a schema makes of what was written. */
export type OutputOf<Make extends SchemaMaker> = z.output<ReturnType<Make>>;
