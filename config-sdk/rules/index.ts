/** Every rule across objects; `check` runs them all. */
import * as catalogue from './catalogue.ts';
import * as conditions from './conditions.ts';
import * as consumers from './consumers.ts';
import * as fallbacks from './fallbacks.ts';
import * as files from './files.ts';
import * as gateway from './gateway.ts';
import { uncarriedTags } from './invariants.ts';
import * as keys from './keys.ts';
import * as names from './names.ts';
import * as paths from './paths.ts';
import * as patience from './patience.ts';
import * as promptValues from './prompt-values.ts';
import * as prompts from './prompts.ts';
import * as providers from './providers.ts';
import * as quotaMoves from './quota-moves.ts';
import * as quotas from './quotas.ts';
import * as repeats from './repeats.ts';
import * as routes from './routes.ts';
import type { Rule } from './rule.ts';
import * as secretNames from './secret-names.ts';
import { secretLiterals } from './secrets.ts';
import * as spending from './spending.ts';
import * as targets from './targets.ts';
import * as templates from './templates.ts';
import * as teams from './teams.ts';
import { terms } from './terms.ts';
import { machinePaths } from './texts.ts';
import * as tokens from './tokens.ts';
import * as upstreams from './upstreams.ts';
import * as windows from './windows.ts';

export const rules: readonly Rule[] = [
  names.duplicateNames,
  names.unusedDeclarations,
  ...repeats.repeatedEntries,
  ...repeats.repeatedDeclarations,
  ...repeats.similarNames,
  repeats.misleadingNames,
  gateway.emptyGateway,
  gateway.leftShrink,
  gateway.unusedFiles,
  uncarriedTags,
  routes.shadowedRoutes,
  routes.unmatchedPaths,
  paths.hiddenMethods,
  paths.trailingSlashes,
  paths.caseTwins,
  paths.unusedRetries,
  paths.doubledPaths,
  upstreams.plainHttp,
  upstreams.upstreamHeaders,
  upstreams.loops,
  providers.keylessProviders,
  providers.endpointPaths,
  providers.needlessHttp,
  providers.sameAccounts,
  providers.unusedProviderModels,
  providers.outputCaps,
  catalogue.unlistedModels,
  catalogue.endingModels,
  catalogue.unpricedModels,
  targets.unknownModels,
  targets.unmetNeeds,
  targets.chatOnlyOptions,
  targets.weights,
  targets.contextFits,
  windows.longPrompts,
  windows.wastedReserves,
  windows.wastedWindows,
  fallbacks.needlessGroups,
  fallbacks.negligibleWeights,
  fallbacks.conflictingWeights,
  fallbacks.repeatedTargets,
  fallbacks.sameProvider,
  fallbacks.standIns,
  fallbacks.optionalTargets,
  conditions.unknownConsumers,
  conditions.claimsWithoutTokens,
  conditions.unservedRequests,
  conditions.narrowedToNothing,
  patience.longTimeouts,
  patience.deadlinesUsedUp,
  patience.shortTimeouts,
  files.unkeptFiles,
  files.unfitAccounts,
  consumers.plaintextKeys,
  consumers.duplicateKeys,
  consumers.duplicateCertificates,
  consumers.consumersWithoutKeys,
  consumers.modelsWithoutConsumers,
  consumers.unservedPermissions,
  teams.permissionsAbove,
  teams.permissionsOfKeys,
  teams.withheldPrompts,
  teams.twoOrganisations,
  teams.unclearScopes,
  tokens.repeatedIssuers,
  tokens.unconditionalTokens,
  keys.keyHashes,
  keys.keyCounts,
  keys.powerlessConsumers,
  keys.routesWithoutConsumers,
  quotas.driftingWindows,
  quotas.idleQuotas,
  quotaMoves.livingFormerNames,
  quotaMoves.unfitDowngrades,
  spending.unpricedLegs,
  spending.unpricedUse,
  spending.idleCounts,
  spending.smallQuotas,
  spending.unknownZones,
  terms,
  prompts.variableNames,
  prompts.choicesMentioned,
  prompts.boundVariables,
  prompts.fixtureVariables,
  templates.fixtures,
  templates.emptyPrompts,
  templates.singleChoices,
  templates.variableTwins,
  templates.braceTypos,
  templates.defeatedCaches,
  promptValues.emptyValues,
  promptValues.templatesInValues,
  promptValues.credentialsInPrompts,
  promptValues.clientTexts,
  secretLiterals,
  secretNames.sharedSecrets,
  secretNames.optionalSecrets,
  secretNames.secretNames,
  machinePaths,
];
