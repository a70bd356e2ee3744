/** What holds a configuration itself and is not served: its invariants, and what it accepts of the findings of `check`. */
import { acceptedEntries } from './accept.ts';
import { handleIndex, isObject } from './compile/places.ts';
import type { LoadDocument } from './load/document.ts';

export interface Safeguards {
  /** By name. */
  readonly invariants: Readonly<
    Record<
      string,
      {
        /** Another one says that the function reads otherwise; what it calls is not seen. */
        readonly digest: string;
        readonly place: string;
      }
    >
  >;
  readonly accepted: readonly {
    readonly code: string;
    /** An object or a file; undefined for everywhere. */
    readonly within: string | undefined;
    readonly reason: string;
  }[];
}

export const noSafeguards: Safeguards = { invariants: {}, accepted: [] };

function invariantsIn({ declarations }: LoadDocument): Safeguards['invariants'] {
  const all = declarations.filter(({ sort }) => sort === 'invariant');
  const named = [...Map.groupBy(all, ({ id }) => id)].map(([name, of]) => {
    const digest = of.map(({ spec }) => JSON.stringify(spec)).join(' ');
    const { file = '', line = 0, column = 0 } = of[0]?.position ?? {};
    return [name, { digest, place: `${file}:${line}:${column}` }] as const;
  });
  return Object.fromEntries(named);
}

function acceptedIn({ declarations, gateway }: LoadDocument): Safeguards['accepted'] {
  if (typeof gateway !== 'number') return [];
  return acceptedEntries(declarations, gateway).flatMap((entry): Safeguards['accepted'][number][] => {
    if (!isObject(entry)) return [];
    const { code, reason, in: place } = entry;
    const object = declarations[handleIndex(place) ?? -1];
    const file = typeof place === 'string' ? place : undefined;
    const within = object ? `${object.sort.replace('-', ' ')} ${object.id}` : file;
    return [{ code: String(code), within, reason: String(reason) }];
  });
}

export const safeguardsOf = (document: LoadDocument): Safeguards => ({
  invariants: invariantsIn(document),
  accepted: acceptedIn(document),
});

/** Where each is declared, by the name that a plan has for it. */
export const placesOf = ({ invariants }: Safeguards): Record<string, string> =>
  Object.fromEntries(Object.entries(invariants).map(([name, { place }]) => [`invariants.${name}`, place]));
