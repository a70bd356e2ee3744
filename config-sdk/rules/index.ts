/** Every rule across objects; `check` runs them all. */
import {
  consumersWithoutKeys,
  duplicateKeys,
  modelsWithoutConsumers,
  plaintextKeys,
  unservedPermissions,
} from './consumers.ts';
import { duplicateNames, unusedDeclarations } from './names.ts';
import { boundVariables, choicesMentioned, fixtureVariables, variableNames } from './prompts.ts';
import type { Rule } from './rule.ts';
import { shadowedRoutes, unmatchedPaths } from './routes.ts';
import { secretLiterals } from './secrets.ts';
import { machinePaths } from './texts.ts';
import { contextFits, unknownModels, weights } from './targets.ts';

export const rules: readonly Rule[] = [
  duplicateNames,
  unusedDeclarations,
  shadowedRoutes,
  unmatchedPaths,
  unknownModels,
  weights,
  contextFits,
  plaintextKeys,
  duplicateKeys,
  consumersWithoutKeys,
  modelsWithoutConsumers,
  unservedPermissions,
  variableNames,
  choicesMentioned,
  boundVariables,
  fixtureVariables,
  secretLiterals,
  machinePaths,
];
