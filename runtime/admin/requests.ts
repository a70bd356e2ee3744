/** What the admin plane tells of recent requests: which there were, and why each went as it did. */
import type { Serving } from '../serving.ts';
import { json, problem, type Plane } from './plane.ts';

const mostListed = 1_000;

export function addRequests(plane: Plane, serving: Pick<Serving, 'requests' | 'request'>): void {
  plane.on('GET', '/api/requests', async ({ query }) => {
    const { limit = '100' } = query;
    const most = Number(limit);
    if (Number.isInteger(most) && most >= 1 && most <= mostListed)
      return json({ requests: await serving.requests(most) });
    return problem(400, `"limit" must be a whole number from 1 to ${mostListed}.`);
  });
  plane.on('GET', '/api/requests/:id', async ({ id }) => {
    const found = await serving.request(id);
    if (found) return json(found);
    return problem(404, `No request ${id.slice(0, 128)} is remembered: it is too old, or another replica had it.`);
  });
}
