/** A git host, an artifact branch on it and gateways that follow it, for tests of how revisions are tried out. */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { artifactBranch, type ArtifactBranch } from './artifact-branch.ts';
import { startWith, type TestGateway } from './gateway.ts';
import { startGitServer } from './git-server.ts';
import { temporaryDirectory } from './repository.ts';
import { startScripted, type Script, type ScriptedUpstream } from './scripted-upstream.ts';
import { until } from './until.ts';
import { question } from './versioned.ts';

export interface TrialStage {
  readonly branch: ArtifactBranch;
  readonly stateDir: string;
  start(...flags: string[]): Promise<TestGateway>;
  /** A vendor or upstream that ends with the test. */
  upstream(script: Script): Promise<ScriptedUpstream>;
}

export async function trialStage(context: TestContext): Promise<TrialStage> {
  const host = await startGitServer();
  const url = await host.createRepository('config');
  const state = await temporaryDirectory();
  context.after(async () => {
    await host.close();
    await state.remove();
  });
  return {
    branch: artifactBranch(join(host.root, 'config.git')),
    stateDir: state.path,
    async start(...flags) {
      const gateway = await startWith(['--repo', url, '--poll', '100ms', '--state-dir', state.path, ...flags]);
      context.after(() => gateway.close());
      return gateway;
    },
    async upstream(script) {
      const upstream = await startScripted(script);
      context.after(() => upstream.close());
      return upstream;
    },
  };
}

/** What model `which` answers, and so the revision that says so. */
export async function which(gateway: TestGateway): Promise<string> {
  const response = await gateway.post('/v1/chat/completions', question());
  const body = (await response.json()) as { choices?: { message: { content: string } }[] };
  return body.choices?.[0]?.message.content ?? `status ${response.status}`;
}

export const serves = (gateway: TestGateway, n: number, withinMs = 10_000) =>
  until(`version ${n} is served`, async () => (await which(gateway)) === `version ${n}`, withinMs);

export const held = (gateway: TestGateway, reason: string, withinMs = 10_000) =>
  until(
    `held because of ${reason}`,
    async () => {
      const status = await gateway.status();
      return status.held?.reason === reason && status;
    },
    withinMs,
  );
