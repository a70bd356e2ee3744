/** The schema of prices: one list for always, or several with the day from which each holds. */
import { z } from 'zod';
import { searchDepths } from './call.ts';
import type { PriceTable } from './prices.ts';

const decimal = /^(0|[1-9]\d{0,6})(\.\d{1,12})?$/;

/** A text, because money is never a float. */
const priceWanted = "write USD per million tokens as text, such as '1.25'";
const price = z.string(priceWanted).regex(decimal, priceWanted);
const feeWanted = "write USD as text, such as '0.01'";
const fee = z.string(feeWanted).regex(decimal, feeWanted);

const parts = {
  cachedInput: price.optional(),
  cacheWrite: price.optional(),
  cacheWriteHour: price.optional(),
  audioInput: price.optional(),
  cachedAudioInput: price.optional(),
  imageInput: price.optional(),
  cachedImageInput: price.optional(),
  reasoning: price.optional(),
  audioOutput: price.optional(),
  imageOutput: price.optional(),
  citations: price.optional(),
};

const long = z.strictObject({
  above: z.int().min(1).max(100_000_000),
  input: price.optional(),
  output: price.optional(),
  ...parts,
});

const ascends = (numbers: readonly number[]): boolean =>
  numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? Infinity));

const searchWanted =
  "write USD for each search as text, such as '0.01', or one for each depth: " +
  `{ ${searchDepths.map((depth) => `${depth}: '…'`).join(', ')} }`;

const pricesWanted =
  "write USD per million tokens such as { input: '1.25', output: '10' }, or a list of such, each after the first with the day `from` which it holds";

const prices = {
  input: price,
  output: price,
  ...parts,
  long: z
    .array(long, "write a list, such as [{ above: 200_000, input: '2.50' }]")
    .min(1)
    .max(8)
    .refine((tiers) => ascends(tiers.map(({ above }) => above)), 'write the shorter calls first: `above` has to grow')
    .optional(),
  request: fee.optional(),
  search: z
    .union([fee, z.strictObject(Object.fromEntries(searchDepths.map((depth) => [depth, fee])))], {
      error: searchWanted,
    })
    .optional(),
};

const isMoment = (text: string): boolean => {
  const at = Date.parse(text);
  // Date.parse takes the 31st of a shorter month for the 1st of the next.
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(text.slice(0, 10));
};

const moment = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d(T\d\d:\d\dZ)?$/, {
    error: "write a day such as '2026-01-01', or a minute such as '2026-01-01T16:00Z'",
    abort: true,
  })
  .refine(isMoment, 'there is no such day');

const dated = z
  .array(z.strictObject({ from: moment.optional(), ...prices }))
  .min(1)
  .max(32)
  .superRefine((all, context) => {
    const [first] = all;
    if (first?.from !== undefined) {
      const message = `nothing says what it costs before ${first.from}: leave \`from\` out of the first`;
      context.addIssue({ code: 'custom', path: [0, 'from'], message });
    }
    for (const [index, { from }] of all.entries()) {
      if (index === 0) continue;
      const before = all[index - 1]?.from;
      const path = [index, 'from'];
      if (from === undefined)
        context.addIssue({
          code: 'custom',
          path,
          message: 'only the first may hold from the beginning: say from when',
        });
      else if (before !== undefined && isMoment(from) && isMoment(before) && Date.parse(from) <= Date.parse(before))
        context.addIssue({ code: 'custom', path, message: `write the earlier ones first: ${before} stands before it` });
    }
  });

// Which depths there are is one list, of which the compiler makes no shape.
export const priceTable = z.union([dated, z.strictObject(prices)], {
  error: pricesWanted,
}) as unknown as z.ZodType<PriceTable>;
