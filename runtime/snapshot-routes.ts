/** The REST part of the snapshot's schema: routes, and the services that they forward to. */
import { z } from 'zod';
import { duration } from './duration.ts';
import { secretReference } from './providers/options.ts';
import { objectName, tags } from './snapshot-names.ts';
import { routeProbe } from './snapshot-probes.ts';

const httpUrl = z.string().refine((text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return (
    url !== undefined && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash
  );
}, 'write an http(s) URL without credentials, query or fragment');

export const upstream = z.strictObject({
  url: httpUrl,
  /** Sent with every request, in place of the client's own of the same name. */
  headers: z
    .record(
      z.string().regex(/^[a-z0-9-]+$/, 'write header names in lower case'),
      z.union([z.string(), secretReference(z)]),
    )
    .optional(),
  timeout: duration(z, 1, 3_600_000).default(30_000),
});

const routePath = z
  .string()
  .regex(
    /^\/(\*|(?!v1(beta)?(\/|$))[\w\-.~%]+(\/[\w\-.~%]+)*(\/\*?)?)?$/,
    "write a path such as '/orders' or '/orders/*'; /v1/ and /v1beta/ belong to the model APIs",
  );

export const route = z.strictObject({
  /** Exact, or a prefix when it ends in `/*`. */
  path: routePath,
  methods: z
    .array(z.enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']))
    .min(1)
    .optional(),
  /** Host the client must have asked for, without port. */
  host: z
    .string()
    .regex(/^[a-z0-9.-]+$/)
    .optional(),
  upstream: objectName,
  /** Taken off the front of the path before forwarding. */
  stripPrefix: z
    .string()
    .regex(/^\/[\w\-./~%]*$/)
    .optional(),
  /** Further tries of GET, HEAD and OPTIONS when no connection could be made or it broke before an answer. */
  retries: z.int().min(0).max(5).default(1),
  maxBodyBytes: z.int().min(0).max(1_073_741_824).default(10_485_760),
  tags,
  quotas: z.array(objectName).max(16).optional(),
  /** Asked of the upstream before a revision that changes this route serves. */
  probe: routeProbe.optional(),
});
