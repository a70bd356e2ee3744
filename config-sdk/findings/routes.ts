/** Codes about plain HTTP routes and the upstreams behind them. */
import { danger, error, warning } from './entry.ts';

export const routeFindings = {
  route_shadowed: error(
    'Two routes have the same host, path and method.',
    'change one of them',
    'Only one of them ever gets a request, and which one is an accident of order.',
  ),
  route_never_matches: warning(
    'The path of a route has empty or dot segments, which requests no longer have when they are matched.',
    'write the path as it stands after normalisation',
    'Clients get a 404 for a path that stands in the configuration.',
  ),
  route_hides_methods: warning(
    'A narrower route refuses methods that a wider route to the same upstream takes.',
    'give it all methods of the wider route, or narrow the wider one',
    'The nearest path decides: a request with another method is refused with 405 and never reaches the wider route.',
  ),
  route_trailing_slash: warning(
    'The path of a route ends in a slash, and no route takes it without one.',
    'leave the slash out, or end the path in /* to take everything below too',
    'Paths are compared as they are; clients that leave the slash out get a 404.',
  ),
  route_case_twin: warning(
    'The paths of two routes differ in upper and lower case only.',
    'spell both the same way, or remove one',
    'Paths are compared with their case. One of the two spellings is a typing error.',
  ),
  retries_unused: warning(
    'A route asks for retries but takes no method that is ever retried.',
    'remove retries, or take GET, HEAD or OPTIONS',
    'Only methods that are harmless to repeat are tried again. Who reads the number believes otherwise.',
  ),
  path_doubled: warning(
    'The URL of the upstream already ends in the prefix of the route, which is appended once more.',
    "set stripPrefix, or take the path out of the upstream's url",
    'The upstream is asked for /orders/orders/… and answers 404.',
  ),
  strip_prefix_mismatch: error(
    'stripPrefix is not the beginning of the path of its route.',
    'make stripPrefix a prefix of path, at a slash',
    'Nothing would be stripped, and the upstream would see paths it does not know.',
  ),
  upstream_loop: error(
    'An upstream or provider has the host name that a route of this gateway serves.',
    'give the address of the service itself',
    'The gateway would call itself until its connections run out.',
  ),
  plain_http: warning(
    'An upstream on a public host is reached over http://.',
    'use https://',
    'Requests and answers can be read and changed on the way.',
  ),
  credential_in_clear: danger(
    'A secret is sent to a public host over http://.',
    'use https://',
    'Whoever listens on the way has the credential.',
  ),
  header_unsendable: error(
    'A header of an upstream cannot be sent: it belongs to the connection, or its value has a line break or other control character.',
    'leave the header out, or trim its value',
    'Every request to the upstream would fail.',
  ),
  header_overwritten: warning(
    'An upstream sets a header that the gateway sets itself.',
    'leave it out',
    'The value from the configuration is never sent.',
  ),
} as const;
