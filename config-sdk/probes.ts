/** Requests that a candidate must see answered before it serves, as configuration declares them. */
import type { Duration } from './handles.ts';

/** A tiny request that each target tried first must answer before a revision that changes the model serves. */
export interface ModelProbe {
  /** Sent as the user's message, after the model's prompt where that needs no values from a request. */
  message: string;
  /** Must stand in the answer, in the same case. Default: any answer will do. */
  expect?: string;
  /** Longest wait; no answer in time says nothing about the revision. Default `'5s'`, at most `'15s'`. */
  timeout?: Duration;
  /** Most tokens asked for. Default 16. */
  maxTokens?: number;
}

/** A request that the upstream must answer before a revision that changes the route serves. */
export interface RouteProbe {
  /** As a client would ask for it, such as `'/orders/health'`: it must lead to this route. */
  path: `/${string}`;
  /** Default `'GET'`. */
  method?: 'GET' | 'HEAD';
  /** Default 200. */
  expectStatus?: number;
  /** Longest wait; no answer in time says nothing about the revision. Default `'5s'`, at most `'15s'`. */
  timeout?: Duration;
}
