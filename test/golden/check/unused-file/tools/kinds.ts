import type { Model } from 'headgate';

export type Named = Pick<Model, 'id'>;
