/** The proxy that anyone would write first: `node:http` at the door, undici behind it. `bare-proxy.ts PORT UPSTREAM_PORT` */
import { createServer } from 'node:http';
import { pipeline } from 'node:stream';
import { Agent, request as ask } from 'undici';

const [port, upstreamPort] = process.argv.slice(2);
const dispatcher = new Agent();

createServer((request, response) => {
  const { host: _host, connection: _connection, ...headers } = request.headers;
  const method = request.method === 'GET' ? 'GET' : 'POST';
  ask(`http://127.0.0.1:${upstreamPort}${request.url}`, {
    method,
    headers,
    dispatcher,
    body: method === 'GET' ? null : request,
  }).then(
    (answer) => {
      const { connection: _own, 'transfer-encoding': _framing, ...rest } = answer.headers;
      response.writeHead(answer.statusCode, rest);
      pipeline(answer.body, response, () => {});
    },
    () => response.writeHead(502).end(),
  );
}).listen(Number(port), '127.0.0.1');
