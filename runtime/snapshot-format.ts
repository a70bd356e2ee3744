/** What is known of every snapshot without its schema. */

export const snapshotFormat = 'headgate/snapshot.v1';

/** Objects that are no collections of named members. */
export const singleFields: ReadonlySet<string> = new Set(['rollout']);
