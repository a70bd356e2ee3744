/** The part of the snapshot's schema that says who may call: consumers with their keys, teams, and organisations. */
import { z } from 'zod';
import { addressRange } from './address-ranges.ts';
import { expiryOf } from './expiry.ts';
import { tokenUse } from './snapshot-issuers.ts';
import { modelName, objectName, tags } from './snapshot-names.ts';

const keyHash = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, "write 'sha256:' and 64 hex digits, as `headgate keys create` prints them");

/** People and mailboxes, as the repository calls them. */
const owner = z.string().min(1).max(200);

const range = z
  .string()
  .max(64)
  .refine((text) => addressRange(text) !== undefined, "write an address or a range such as '10.0.0.0/8'");

const expiry = z
  .string()
  .max(40)
  .refine((text) => expiryOf(text) !== undefined, "write a date such as '2027-01-31', or an instant in RFC 3339");

interface CertificateForm {
  readonly form: RegExp;
  readonly wanted: string;
}

const label = '[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?';

/** Names are compared as they stand: one that no certificate can carry in this spelling would be nobody's. */
const certificateForms: Readonly<Record<string, CertificateForm>> = {
  sha256: {
    form: /^[0-9a-f]{64}$/,
    wanted: "write 'sha256:' and 64 hex digits in lower case, as `openssl x509 -in FILE -outform der | sha256sum` does",
  },
  URI: {
    // SPIFFE leaves nothing to choose: no port, no query, no empty segment, no slash at the end.
    form: /^(spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)*|(?!spiffe:)[a-z][a-z0-9+.-]*:[\x21-\x7e]+)$/,
    wanted: "write a whole URI, such as 'URI:spiffe://corp.example/shop', with no slash at its end",
  },
  DNS: {
    form: new RegExp(`^${label}(\\.${label})*$`),
    wanted: "write a name in lower case and without wildcard, such as 'DNS:shop.corp.example'",
  },
  email: { form: /^[^\s@]+@[^\s@]+$/, wanted: "write a mailbox, such as 'email:shop@corp.example'" },
  CN: { form: /^\P{Cc}+$/u, wanted: "write a common name, such as 'CN:shop'" },
};

const anyForm = "begin with 'URI:', 'DNS:', 'email:', 'CN:' or 'sha256:', and go on as the certificate does";

const certificateName = z
  .string()
  .max(2_048)
  .superRefine((text, context) => {
    const [, sort = '', name = ''] = /^([A-Za-z0-9]+):(.*)$/s.exec(text) ?? [];
    const known = Object.hasOwn(certificateForms, sort) ? certificateForms[sort] : undefined;
    if (!known?.form.test(name)) context.addIssue(known?.wanted ?? anyForm);
  });

const models = z.array(modelName).optional();
const routes = z.array(objectName).optional();
const prompts = z.array(objectName).optional();
const quotas = z.array(objectName).max(16).optional();

/** What one key is bound to, beside what its consumer is. */
const keyTerms = z.strictObject({
  owner: owner.optional(),
  expires: expiry.optional(),
  /** Addresses that it may come from; absent: any. */
  addresses: z.array(range).min(1).max(64).optional(),
  /** Of the consumer's models and routes, those that it opens; absent: all. */
  models,
  routes,
  /** Of the consumer's prompts, those whose models it opens; absent: all. */
  prompts,
});

export const consumer = z.strictObject({
  /** `sha256:` and the hex digest of the whole key. Two at once allow rotation. */
  keys: z.array(keyHash).max(16),
  /** By key. */
  keyTerms: z.record(keyHash, keyTerms).optional(),
  /** Tokens that stand for it. */
  jwt: z.array(tokenUse).max(16).optional(),
  /** Names of certificates that stand for it: alternative names, the common name where there are none, or the digest. */
  certificates: z.array(certificateName).max(16).optional(),
  owner: owner.optional(),
  team: objectName.optional(),
  /** Its own, or that of its team. */
  organisation: objectName.optional(),
  /** Addresses that it may call from; absent: any. */
  addresses: z.array(range).min(1).max(64).optional(),
  /** Models this consumer may use; absent means all. Its team and organisation have been taken into account. */
  models,
  /** Routes this consumer may use; absent means all. As above. */
  routes,
  /** Prompts whose models this consumer may use; absent means all. As above. */
  prompts,
  /** Providers that keep its files and batches; absent means that it may have none. */
  files: z.array(objectName).max(16).optional(),
  /** With those of its team and organisation. */
  tags,
  /** As above. */
  quotas: z.array(objectName).max(48).optional(),
});

const group = { owner: owner.optional(), models, routes, prompts, tags, quotas };

export const organisation = z.strictObject(group);
export const team = z.strictObject({ organisation: objectName.optional(), ...group });

export type ConsumerSnapshot = z.output<typeof consumer>;
export type KeyTermsSnapshot = z.output<typeof keyTerms>;
export type TeamSnapshot = z.output<typeof team>;
export type OrganisationSnapshot = z.output<typeof organisation>;
