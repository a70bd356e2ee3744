/** fastify with its own way to proxy: `reply-from-proxy.ts PORT UPSTREAM_PORT` */
import replyFrom from '@fastify/reply-from';
import { fastify } from 'fastify';

const [port, upstreamPort] = process.argv.slice(2);
const app = fastify({ bodyLimit: 16 * 1_024 * 1_024 });

// Bodies pass as they come.
app.removeAllContentTypeParsers();
app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
await app.register(replyFrom, { base: `http://127.0.0.1:${upstreamPort}`, undici: { connections: 8_192 } });
app.all('/*', (request, reply) => reply.from(request.url));
await app.listen({ port: Number(port), host: '127.0.0.1' });
