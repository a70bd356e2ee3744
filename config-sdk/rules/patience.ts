/** Timeouts: long enough for an answer, and not longer than anybody waits. */
import { parseDuration } from '@headgate/runtime/duration';
import type { ModelSnapshot, ProviderSnapshot, UpstreamSnapshot } from '@headgate/runtime/snapshot';
import { isInProcess } from './providers.ts';
import { byName, problemAt, served, type Problem, type Rule } from './rule.ts';
import { legsOf, once } from './targets.ts';

/** How long the vendors' SDKs wait for an answer unless told otherwise. */
const clientPatienceMs = 600_000;
const defaultTimeout = '60s';
/** No language model and no round trip to another machine is faster. */
const least = { target: 1_000, upstream: 10 };

/** As it was written: compiled objects hold what their author wrote, before the schema reads it. */
const writtenMs = (timeout: unknown, fallback: string): number =>
  parseDuration(typeof timeout === 'string' ? timeout : fallback) ?? 0;

export const longTimeouts: Rule = (project) =>
  served<ModelSnapshot>(project, 'model').flatMap(({ object, value }): Problem[] => {
    const sum = legsOf(value.targets, [])
      .map(({ node }) => writtenMs(node.timeout, defaultTimeout))
      .reduce((total, ms) => total + ms, 0);
    if (sum <= clientPatienceMs) return [];
    const message = `the targets of model '${object.id}' may take ${Math.round(sum / 1_000)} s before the last one gives up`;
    return problemAt(project, { object, path: ['targets'] }, { code: 'timeouts_outlast_client', message });
  });

export const deadlinesUsedUp: Rule = (project) =>
  served<ModelSnapshot>(project, 'model').flatMap(({ object, value }): Problem[] => {
    if (value.deadline === undefined) return [];
    const deadline = writtenMs(value.deadline, '');
    let before = 0;
    for (const { node } of legsOf(value.targets, [])) {
      if (before >= deadline) {
        const message = `model '${object.id}' has ${String(value.deadline)} for a request, and the targets before ${node.provider}/${node.model} may take all of it`;
        return problemAt(project, { object, path: ['deadline'] }, { code: 'targets_beyond_deadline', message });
      }
      before += writtenMs(node.timeout, defaultTimeout);
    }
    return [];
  });

export const shortTimeouts: Rule = (project) => {
  const providers = byName(project, 'provider');
  const targets = served<ModelSnapshot>(project, 'model').flatMap(({ object, value }) =>
    legsOf(value.targets, ['targets']).flatMap(({ node, path }): Problem[] => {
      const provider = providers.get(node.provider)?.value as ProviderSnapshot | undefined;
      const quick = !provider || isInProcess(provider.kind);
      if (quick || writtenMs(node.timeout, defaultTimeout) >= least.target) return [];
      const message = `target ${node.provider}/${node.model} has ${String(node.timeout)} to begin its answer`;
      return problemAt(project, { object, path: [...path, 'timeout'] }, { code: 'timeout_too_short', message });
    }),
  );
  const upstreams = served<UpstreamSnapshot>(project, 'upstream').flatMap(({ object, value }): Problem[] => {
    if (value.timeout === undefined || writtenMs(value.timeout, '') >= least.upstream) return [];
    const message = `upstream '${object.id}' has ${String(value.timeout)} to begin its answer`;
    return problemAt(project, { object, path: ['timeout'] }, { code: 'timeout_too_short', message });
  });
  return once([...targets, ...upstreams]);
};
