/** Gathers what flags and variables say, before anybody asks what it means. Whatever is no setting is a problem. */
import { accessSync, constants } from 'node:fs';
import type { Address } from './listener.ts';

export interface Gathered<Name extends string> {
  readonly names: readonly Name[];
  readonly given: Map<Name, string>;
  readonly problems: string[];
}

export const variableOf = (name: string): string => `HEADGATE_${name.toUpperCase().replaceAll('-', '_')}`;

/** What Kubernetes sets by itself in every pod beside a service called `headgate`, or `headgate-…`. */
function isFromKubernetes(variable: string, value: string): boolean {
  return (
    /^HEADGATE_(\w+_)?SERVICE_(HOST|PORT)(_\w+)?$/.test(variable) ||
    /^HEADGATE_(\w+_)?PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/.test(variable) ||
    (/^HEADGATE_(\w+_)?PORT$/.test(variable) && /^(tcp|udp|sctp):\/\//.test(value))
  );
}

/** Read by other commands of ours: whoever has them set may run the gateway too. */
const ofOtherCommands: readonly string[] = ['HEADGATE_DEV_KEY', 'HEADGATE_SIGN_KEY_FILE'];

/** `known` names variables that another part of the process reads. */
export function gatherVariables<Name extends string>(
  environment: NodeJS.ProcessEnv,
  known: readonly string[],
  { names, given, problems }: Gathered<Name>,
): void {
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('HEADGATE_') || value === undefined) continue;
    if (known.includes(variable) || ofOtherCommands.includes(variable)) continue;
    const name = names.find((one) => variableOf(one) === variable);
    if (name && value.trim() === '') problems.push(`${variable} is empty: give it a value or leave it out`);
    else if (name) given.set(name, value);
    else if (!isFromKubernetes(variable, value))
      problems.push(`${variable} is no setting; known are ${names.map(variableOf).join(', ')}`);
  }
}

/** Written out rather than left to `parseArgs`, which stops at the first thing it does not know. */
export function gatherFlags<Name extends string>(
  flags: readonly string[],
  { names, given, problems }: Gathered<Name>,
): void {
  const left = [...flags];
  for (let flag = left.shift(); flag !== undefined; flag = left.shift()) {
    const [, written, inline] = /^--([^=]+)(?:=(.*))?$/s.exec(flag) ?? [];
    const value = inline ?? (written !== undefined && !left[0]?.startsWith('--') ? left.shift() : undefined);
    const name = names.find((one) => one === written);
    if (written === undefined) problems.push(`'${flag}' is no flag: settings are written --name value`);
    else if (!name) problems.push(`--${written} is no setting; known are ${names.map((one) => `--${one}`).join(', ')}`);
    else if (value === undefined || value.trim() === '') problems.push(`--${name} needs a value`);
    else given.set(name, value);
  }
}

export function addressFrom(text: string): Address | undefined {
  const match = /^(\[[0-9a-fA-F:]+\]|[^:\s]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (!match?.[1] || port > 65_535) return undefined;
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

export function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
