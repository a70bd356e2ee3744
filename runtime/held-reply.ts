/** A reply that nobody gets: headers are kept, an answer ends in nothing. */
import type { Reply } from './reply.ts';

export class HeldReply implements Reply {
  readonly headers = new Map<string, string>();
  started = false;
  status = 200;

  header(name: string, value: string): void {
    this.headers.set(name, value);
  }

  whole(status: number): void {
    this.status = status;
    this.started = true;
  }

  startStream(): void {
    this.started = true;
  }

  write(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {
    this.started = true;
  }

  destroy(): void {
    this.started = true;
  }
}
