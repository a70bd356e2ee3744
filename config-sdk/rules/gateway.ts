/** The gateway as a whole: that it serves something, and whether files and exceptions are left over. */
import { isObject } from '../compile/places.ts';
import type { Rule } from './rule.ts';

const isEmpty = (list: unknown): boolean => (isObject(list) || Array.isArray(list)) && Object.keys(list).length === 0;

export const emptyGateway: Rule = ({ gateway, declarations }) => {
  const spec = declarations[gateway?.declaration ?? -1]?.spec;
  if (!gateway || !isObject(spec) || !isEmpty(spec['models']) || !isEmpty(spec['routes'] ?? [])) return [];
  const message = 'this gateway serves nothing: it lists neither models nor routes';
  return [{ code: 'nothing_served', place: { ...gateway, path: ['models'] }, message }];
};

export const leftShrink: Rule = ({ gateway, declarations }) => {
  const spec = declarations[gateway?.declaration ?? -1]?.spec;
  if (!gateway || !isObject(spec) || typeof spec['allowShrink'] !== 'string') return [];
  const message = 'this revision may lose most of what is served, and so may each one after it';
  return [{ code: 'allow_shrink_left', place: { ...gateway, path: ['allowShrink'] }, message }];
};

export const unusedFiles: Rule = (project) =>
  project.unusedFiles.map((file) => ({
    code: 'unused_file',
    place: { file, line: 1, column: 1 },
    message: `nothing imports ${file}`,
  }));
