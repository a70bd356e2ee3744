/** Terms of policies: each blocks something, and only what it should. */
import { isObject } from '../compile/places.ts';
import { problemAt, served, type Problem, type Rule } from './rule.ts';

/** Terms up to four letters are found inside everyday words, in scripts that write words with letters. */
const partOfWords = /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]{1,4}$/u;

type Code = 'term_untrimmed' | 'term_inside_words' | 'term_redundant';

function judge(term: string, others: readonly string[]): { code: Code; why: string } | undefined {
  if (term !== term.trim()) return { code: 'term_untrimmed', why: 'begins or ends with white space' };
  const lower = term.toLowerCase();
  const within = others.find((other) => other !== term && lower.includes(other.toLowerCase()));
  // Terms are worth guarding: a finding names their position, not their text.
  if (within !== undefined) return { code: 'term_redundant', why: `contains terms[${others.indexOf(within)}]` };
  if (partOfWords.test(term))
    return { code: 'term_inside_words', why: `has ${term.length} letters and matches inside words` };
  return undefined;
}

export const terms: Rule = (project) =>
  served<{ options: unknown }>(project, 'policy').flatMap(({ object, value }) => {
    const listed: unknown = isObject(value.options) ? value.options['terms'] : undefined;
    const all = Array.isArray(listed) ? listed.filter((term): term is string => typeof term === 'string') : [];
    return all.flatMap((term, index): Problem[] => {
      const found = judge(term, all);
      if (!found) return [];
      const message = `policy '${object.id}': terms[${index}] ${found.why}`;
      return problemAt(project, { object, path: ['options', 'terms', index] }, { code: found.code, message });
    });
  });
