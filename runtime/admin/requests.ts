/** What the admin plane tells of recent requests: which there were, and why each went as it did. */
import type { FastifyInstance } from 'fastify';
import type { Serving } from '../serving.ts';

const mostListed = 1_000;

export function addRequests(app: FastifyInstance, serving: Pick<Serving, 'requests' | 'request'>): void {
  app.get<{ Querystring: { limit?: string } }>('/api/requests', async (request, reply) => {
    const { limit = '100' } = request.query;
    const most = Number(limit);
    if (Number.isInteger(most) && most >= 1 && most <= mostListed) return { requests: await serving.requests(most) };
    const detail = `"limit" must be a whole number from 1 to ${mostListed}.`;
    return reply.code(400).type('application/problem+json').send({ type: 'about:blank', status: 400, detail });
  });
  app.get<{ Params: { id: string } }>('/api/requests/:id', async (request, reply) => {
    const found = await serving.request(request.params.id);
    if (found) return found;
    const detail = `No request ${request.params.id.slice(0, 128)} is remembered: it is too old, or another replica had it.`;
    return reply.code(404).type('application/problem+json').send({ type: 'about:blank', status: 404, detail });
  });
}
