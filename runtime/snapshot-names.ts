/** What objects of a snapshot may be called. */
import { z } from 'zod';

/** Names of objects. They start with a letter or digit, so nothing inherited (`__proto__`) can be one. */
export const objectName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'use up to 64 letters, digits, dots, dashes or underscores');
/** Names of models: what clients send, so vendor spellings such as `meta/llama-3:8b` are allowed. */
export const modelName = z
  .string()
  .regex(/^[A-Za-z0-9][\w.:/@-]{0,127}$/, 'use up to 128 letters, digits and . : / @ _ -');

/** Words for rules about the configuration; serving never looks at them. */
export const tags = z
  .array(
    z.string().regex(/^[A-Za-z0-9][\w.:-]{0,63}$/, 'use up to 64 letters, digits, dots, colons, dashes or underscores'),
  )
  .max(32)
  .optional();

/** Vendors' own spellings; visible ASCII, because it stands in a response header. */
export const vendorModelId = z.string().regex(/^[\x21-\x7e]{1,200}$/, 'use up to 200 visible ASCII characters');

/** `models.name` or `routes.name`. */
export const removedObject = z
  .string()
  .regex(/^(models|routes)\.[A-Za-z0-9][\w.:/@-]{0,127}$/, "write 'models.<name>' or 'routes.<name>'");
