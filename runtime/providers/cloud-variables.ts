/** The variables by which clouds tell a workload where its own identity is given out. Those of AWS are read by its library. */

/** Each a vendor's own standard, set by the platform or by whoever runs the gateway: never by the configuration. */
const known = [
  // learn.microsoft.com/azure/app-service/overview-managed-identity, "REST endpoint reference"
  'IDENTITY_ENDPOINT',
  'IDENTITY_HEADER',
  // Azure SDKs, @azure/identity: in place of the address of the instance's metadata service.
  'AZURE_POD_IDENTITY_AUTHORITY_HOST',
  // azure.github.io/azure-workload-identity/docs/installation/mutating-admission-webhook.html
  'AZURE_FEDERATED_TOKEN_FILE',
  // google.aip.dev/auth/4110 and 4115
  'GOOGLE_APPLICATION_CREDENTIALS',
  'GCE_METADATA_HOST',
  // docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html: only whether they are set, to say where was looked.
  'AWS_ACCESS_KEY_ID',
  'AWS_PROFILE',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_EC2_METADATA_DISABLED',
] as const;
export type CloudVariable = (typeof known)[number];

/** Undefined where it is not set, or empty. */
export const cloudVariable = (name: CloudVariable): string | undefined => process.env[name] || undefined;
