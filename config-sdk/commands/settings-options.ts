/** The runtime's settings as options of a command. */
import type { Command } from 'commander';
import { settingTable } from '@headgate/runtime/settings';

type Name = keyof typeof settingTable;

export interface SettingChoice {
  /** Settings that this command does not take. */
  readonly without?: readonly Name[];
  /** What it sets by itself, in place of the runtime's default. */
  readonly defaults?: Readonly<Partial<Record<Name, string>>>;
}

/** Adds the settings to a command. They have no default here: whoever reads them knows it, and the environment comes before it. */
export function addSettings(command: Command, { without = [], defaults = {} }: SettingChoice = {}): Command {
  for (const [name, { value, fallback, help }] of Object.entries(settingTable)) {
    if (without.includes(name as Name)) continue;
    const shown = defaults[name as Name] ?? fallback;
    command.option(`--${name} <${value}>`, shown ? `${help} (default ${shown})` : help);
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
