/** What a provider says that keeps files and batches for consumers. */
import type { Secret } from './handles.ts';

export interface FilesSpec {
  /**
   * Of at least 32 characters (`openssl rand -hex 32`), the same on every replica. With it the vendor's ids are enciphered for each
   * consumer, so that nobody can ask for what is another's. Whoever changes it takes from all consumers what they have there.
   */
  seal: Secret;
  /**
   * One consumer alone uses this account, and may list what is in it: also what came there otherwise. Default: nobody may list, since
   * a vendor's list is of the whole account.
   */
  sole?: boolean;
}
