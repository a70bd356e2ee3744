/** Codes about credentials: those that stand in the configuration, and the names of those that do not. */
import { danger, error, warning } from './entry.ts';

export const secretFindings = {
  secret_literal: error(
    'A credential stands in the configuration.',
    "put it into the environment, refer to it as secret('NAME'), and revoke it if it was ever committed",
    'Git keeps it for ever, for everyone who can read the repository or a copy of it.',
  ),
  secret_suspected: danger(
    'A text is as random as a credential is.',
    "put it into the environment and refer to it as secret('NAME'); accept it when it is no secret",
    'Not every vendor marks its keys. Long random texts in configuration are most often one.',
  ),
  secret_sent_to_two_hosts: warning(
    'One secret is sent to two different hosts.',
    'use a secret of its own for each service',
    'Each service learns the credential for the other; most often a copied line kept its old name.',
  ),
  secret_optional_conflict: warning(
    'A secret is optional in one place and required in another.',
    'make it optional in both places, or in none',
    'Where it is absent the revision is refused, so `optional` means nothing.',
  ),
  secret_file_name: warning(
    'The name of a secret ends in _FILE.',
    'leave _FILE out: the variable NAME_FILE is looked at by itself',
    'The value would be the path of the file, not what stands in it.',
  ),
  secret_of_gateway: error(
    'A secret has a name that begins with HEADGATE_.',
    'use a name of your own',
    'Such variables configure the gateway itself: its access to git would be sent to somebody else.',
  ),
} as const;
