/** Codes about the repository as a whole: its files, what evaluating them did, and what it accepts. */
import { error, reminder, warning } from './entry.ts';

export const repositoryFindings = {
  no_config: error(
    'The directory has no gateway.config.ts.',
    'run it where gateway.config.ts stands, or name that directory',
    'Everything else is found from this file.',
  ),
  no_default_export: error(
    'gateway.config.ts exports no default value.',
    'write `export default defineGateway({ … })`',
    'The default export says what is served; without it, nothing is.',
  ),
  not_a_gateway: error(
    'The default export is not what defineGateway returned.',
    'write `export default defineGateway({ … })`',
    'Any other value cannot be compiled.',
  ),
  config_failed: error(
    'Evaluating the configuration threw.',
    'configuration is plain data: what it computes must not fail',
    'What comes after the place that threw is not known, so nothing of it can be served.',
  ),
  config_timeout: error(
    'Evaluating the configuration did not end in time.',
    'look for an endless loop',
    'A configuration that does not end would hold up every check and publication.',
  ),
  used_before_declared: error(
    'A value is used before the file that declares it has run.',
    'files import each other in a circle: move what both need into a file of its own',
    'Modules run in the order of their imports; in a circle one of them sees the other half finished.',
  ),
  import_not_found: error(
    'An imported file does not exist.',
    'write the path with its file extension, relative to this file',
    'The file was moved, misspelt or not committed; the build in CI would stop here too.',
  ),
  impure_import: error(
    'A file of the repository imports something other than headgate, its own files, JSON or text.',
    "import only 'headgate' and files of this repository (.ts, .js, .json, .md, .txt) by relative path",
    'What a package or a Node module says may differ between two machines, and then the same commit is two configurations.',
  ),
  impure_code: error(
    'A file of the repository reads the clock, randomness, the environment, a timer or the network.',
    'configuration must mean the same on every machine: write the value out, or use secret() for what differs',
    'The reviewed configuration and the one that serves would not be the same.',
  ),
  machine_path: error(
    'A value holds a path of the machine that evaluates it.',
    'do not use import.meta in configuration',
    'The same commit would compile to other bytes on another machine, and its digest would not match.',
  ),
  unused_file: warning(
    'A file in prompts/ or policies/, or a TypeScript file that declares with headgate, is imported by nothing.',
    'import it from where it is used, or remove it',
    'Editing it changes nothing that is served, and an invariant in it is never judged, which its author will not expect.',
  ),
  bad_acceptance: error(
    'An entry of `accept` gives no reason, or names a code that cannot be accepted.',
    'give a code of docs/reference/findings.md that may be accepted, and a reason in words',
    'An exception without a reason cannot be judged by the next reader.',
  ),
  stale_acceptance: reminder(
    'An entry of `accept` lowers nothing.',
    'remove it: what it excused is gone',
    'Left in place, it would silently excuse the same mistake when somebody makes it again.',
  ),
  allow_shrink_left: warning(
    'The gateway says why it may lose most of what it serves.',
    'remove allowShrink with the change after the one that needs it',
    'While it stands, a merge that loses a folder of models or consumers is served like any other change.',
  ),
  nothing_served: warning(
    'The gateway lists neither models nor routes.',
    'list them in defineGateway; a glob or module that gives nothing is a common cause',
    'The runtime holds such a revision; with allowShrink it would answer every client with 404.',
  ),
  snapshot_too_large: error(
    'The compiled snapshot is larger than the runtime accepts.',
    'shorten prompts or split the gateway',
    'The runtime bounds what it parses and would refuse the artifact.',
  ),
} as const;
