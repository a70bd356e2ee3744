/** Reads the tools of a generateContent request and how they may be chosen. */
import type { JsonObject, Tool, ToolChoice } from '../../call.ts';
import { CallError } from '../dialect.ts';
import { isList, isObject, isSet, withoutUndefined } from '../json-fields.ts';
import { demandList, demandObject, field, reportOthers, textField } from './fields.ts';
import { jsonSchemaOf } from './schema.ts';

const carriedByTool = new Set(['functionDeclarations']);
const carriedByFunction = new Set(['name', 'description', 'parameters', 'parametersJsonSchema']);
const carriedByConfig = new Set(['functionCallingConfig']);
const carriedByCalling = new Set(['mode', 'allowedFunctionNames']);

export function readTools(body: JsonObject, untranslated: Set<string>): readonly Tool[] {
  return demandList(body, 'tools', 'tools').flatMap((tool, index) => {
    const place = `tools[${index}]`;
    if (!isObject(tool)) throw new CallError(`${place} must be an object.`, place);
    // Searches, code execution and the like run at Google.
    reportOthers(tool, carriedByTool, (name) => untranslated.add(`tools.${name}`));
    const inside = `${place}.functionDeclarations`;
    return demandList(tool, 'functionDeclarations', inside).map((declared, at) => {
      if (!isObject(declared)) throw new CallError(`${inside}[${at}] must be an object.`, `${inside}[${at}]`);
      reportOthers(declared, carriedByFunction, (name) => untranslated.add(`tools.functionDeclarations.${name}`));
      return readFunction(declared, `${inside}[${at}]`);
    });
  });
}

function readFunction(declared: JsonObject, place: string): Tool {
  const name = textField(declared, 'name');
  if (!name) throw new CallError(`${place}.name must be a non-empty string.`, `${place}.name`);
  const own = demandObject(declared, 'parameters', `${place}.parameters`);
  const schema = demandObject(declared, 'parametersJsonSchema', `${place}.parametersJsonSchema`);
  return withoutUndefined<Tool>({
    name,
    description: textField(declared, 'description'),
    parameters: schema ?? (own ? jsonSchemaOf(own) : { type: 'object', properties: {} }),
  });
}

export function readToolChoice(body: JsonObject, untranslated: Set<string>): ToolChoice | undefined {
  const config = demandObject(body, 'toolConfig', 'toolConfig');
  if (!config) return undefined;
  reportOthers(config, carriedByConfig, (name) => untranslated.add(`toolConfig.${name}`));
  const place = 'toolConfig.functionCallingConfig';
  const calling = demandObject(config, 'functionCallingConfig', place);
  if (!calling) return undefined;
  reportOthers(calling, carriedByCalling, (name) => untranslated.add(`${place}.${name}`));
  const allowed = field(calling, 'allowedFunctionNames');
  const [only, ...others] = isList(allowed) ? allowed : [];
  const mode = textField(calling, 'mode')?.toUpperCase();
  if (mode === 'ANY' && typeof only === 'string' && others.length === 0) return { name: only };
  if (isSet(only)) untranslated.add(`${place}.allowedFunctionNames`);
  if (mode === 'ANY') return 'required';
  if (mode === 'NONE') return 'none';
  // VALIDATED leaves the choice free as well, and only adds that arguments keep to their schema.
  if (mode === 'VALIDATED') untranslated.add(`${place}.mode`);
  return mode === 'AUTO' || mode === 'VALIDATED' ? 'auto' : undefined;
}
