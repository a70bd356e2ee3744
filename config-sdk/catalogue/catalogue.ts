/** The model catalogue as data: what compiling fills in where the author says nothing. The runtime never sees it. */
import type { ModelFacts } from '@headgate/runtime/snapshot';
import { near } from '../explain/near.ts';
import data from './models.json' with { type: 'json' };

/** Facts of the snapshot, and what only reviewers need. */
export interface KnownModel extends ModelFacts {
  readonly kind: NonNullable<ModelFacts['kind']>;
  readonly capabilities: NonNullable<ModelFacts['capabilities']>;
  /** Day from which the vendor may stop serving it. */
  readonly deprecation?: string;
}

export interface CatalogueData {
  /** Package, version and day that the facts come from. */
  readonly source: string;
  /** Day on which that was the newest: what its own dates are held against. */
  readonly taken: string;
  /** By the name that a provider kind for the vendor has, then by the vendor's model id. */
  readonly vendors: Readonly<Record<string, Readonly<Record<string, KnownModel>>>>;
}

// The compiler reads JSON's texts as `string`; a test holds the file to these types.
export const catalogue: CatalogueData = data as CatalogueData;

/** What is known of a vendor's model; `vendor` is a provider kind. */
export function knownModel(vendor: string, id: string): KnownModel | undefined {
  const models = Object.hasOwn(catalogue.vendors, vendor) ? catalogue.vendors[vendor] : undefined;
  return models && Object.hasOwn(models, id) ? models[id] : undefined;
}

/** Ids that somebody who wrote another one may have meant: of one vendor, or of all. */
export function nearModels(id: string, vendor?: string): readonly string[] {
  const vendors = Object.entries(catalogue.vendors).filter(([name]) => vendor === undefined || name === vendor);
  return near(id, [...new Set(vendors.flatMap(([, models]) => Object.keys(models)))]);
}
