/** Tokens: one answer to whether one is good, and conditions on whose it is. */
import type { ConsumerSnapshot, IssuerSnapshot } from '@headgate/runtime/snapshot';
import { problemAt, served, type Problem, type Rule } from './rule.ts';

export const repeatedIssuers: Rule = (project) => {
  const first = new Map<string, string>();
  return served<IssuerSnapshot>(project, 'issuer').flatMap(({ object, value: { url } }): Problem[] => {
    const other = first.get(url);
    if (other === undefined) {
      first.set(url, object.id);
      return [];
    }
    const message = `issuer '${object.id}' has the url of issuer '${other}'`;
    return problemAt(project, { object, path: ['url'] }, { code: 'issuer_repeated', message });
  });
};

export const unconditionalTokens: Rule = (project) => {
  const issuers = new Map(served<IssuerSnapshot>(project, 'issuer').map(({ object, value }) => [object.id, value]));
  return served<ConsumerSnapshot>(project, 'consumer').flatMap(({ object, value: { jwt = [] } }) =>
    jwt.flatMap(({ issuer, where = [] }, index): Problem[] => {
      if (where.length > 0 || issuers.get(issuer)?.consumerClaim !== undefined) return [];
      const message = `consumer '${object.id}': every token of issuer '${issuer}' stands for it`;
      return problemAt(project, { object, path: ['jwt', index] }, { code: 'token_unconditional', message });
    }),
  );
};
