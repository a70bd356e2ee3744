/** The runtime's settings as options of a command. */
import type { Command } from 'commander';
import { settingTable } from '@headgate/runtime/settings';

type Name = keyof typeof settingTable;

/** Adds every setting but `without`. They have no default here: the runtime knows it, and the environment comes before it. */
export function addSettings(command: Command, without: readonly Name[] = []): Command {
  for (const [name, { value, fallback, help }] of Object.entries(settingTable)) {
    if (without.includes(name as Name)) continue;
    command.option(`--${name} <${value}>`, fallback ? `${help} (default ${fallback})` : help);
  }
  return command;
}

/** What was given, as flags for the runtime to read. */
export function settingFlags(command: Command): string[] {
  const given = command.opts<Record<string, unknown>>();
  return Object.keys(settingTable).flatMap((name) => {
    const key = name.replaceAll(/-(\w)/g, (_match, letter: string) => letter.toUpperCase());
    const value = given[key];
    return typeof value === 'string' ? [`--${name}`, value] : [];
  });
}
