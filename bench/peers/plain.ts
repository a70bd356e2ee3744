/** Rows that pass bytes on and know nothing of models: the upstream itself, two proxies in C, two on Node. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Row } from '../side-by-side/row.ts';
import { modelOf, type Asking, type Work } from '../side-by-side/works.ts';
import { debianProgram, packageVersion } from './install.ts';

/** What passes bytes on cannot translate. */
const untouched = (work: Work): Asking | undefined =>
  work.client === work.vendor ? { model: modelOf(work) } : undefined;

export const directRow: Row = {
  name: 'direct',
  title: 'the upstream, with nothing between; CPU is its own',
  prepare: async () => '',
  launch: async () => undefined,
  ask: untouched,
};

const nginxConfiguration = (port: number, upstreamPort: number, folder: string): string => {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${join(folder, name)};`)
    .join(' ');
  return `
worker_processes 1;
daemon off;
pid ${join(folder, 'pid')};
error_log ${join(folder, 'error.log')} warn;
events { worker_connections 16384; }
http {
  ${temporary}
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  client_max_body_size 64m;
  client_body_buffer_size 2m;
  upstream vendor {
    server 127.0.0.1:${upstreamPort};
    keepalive 1024;
    keepalive_requests 1000000000;
    keepalive_timeout 300s;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://vendor;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 300s;
    }
  }
}
`;
};

const nginx: Row = {
  name: 'nginx',
  title: 'nginx, one worker, no access log',
  prepare: async () => (await debianProgram('nginx')).version,
  async launch({ port, upstreamPort, folder }) {
    const { program, env } = await debianProgram('nginx');
    const file = join(folder, 'nginx.conf');
    await writeFile(file, nginxConfiguration(port, upstreamPort, folder));
    return { program, words: ['-p', folder, '-c', file, '-e', join(folder, 'error.log')], env };
  },
  ask: untouched,
};

const haproxyConfiguration = (port: number, upstreamPort: number): string => `
global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 5s
  timeout client 300s
  timeout server 300s
  http-reuse always
  option http-no-delay
frontend door
  bind 127.0.0.1:${port} backlog 4096
  default_backend vendors
backend vendors
  server vendor 127.0.0.1:${upstreamPort} pool-max-conn 1024
`;

const haproxy: Row = {
  name: 'haproxy',
  title: 'HAProxy, one thread, no log',
  prepare: async () => (await debianProgram('haproxy')).version,
  async launch({ port, upstreamPort, folder }) {
    const { program, env } = await debianProgram('haproxy');
    const file = join(folder, 'haproxy.cfg');
    await writeFile(file, haproxyConfiguration(port, upstreamPort));
    return { program, words: ['-f', file], env };
  },
  ask: untouched,
};

const onNode = (name: string, title: string, packages: readonly string[]): Row => ({
  name,
  title,
  prepare: async () =>
    [`Node ${process.versions.node}`, ...packages.map((each) => `${each} ${packageVersion(each)}`)].join(', '),
  launch: async ({ port, upstreamPort }) => ({
    program: process.execPath,
    words: [join(import.meta.dirname, `${name}-proxy.ts`), String(port), String(upstreamPort)],
  }),
  ask: untouched,
});

export const plainRows: readonly Row[] = [
  nginx,
  haproxy,
  onNode('bare', 'bare proxy: `node:http` and `undici.request`', ['undici']),
  onNode('reply-from', 'fastify and `@fastify/reply-from`', ['fastify', '@fastify/reply-from']),
];
