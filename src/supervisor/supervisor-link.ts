import { type FromWorker, isMessage, type ToWorker, type WorkerReport } from './messages';

export interface SupervisorLinkParts {
  readonly report: () => Promise<WorkerReport>;
  /** Called once: the supervisor asks for it, or is gone. */
  readonly onDrain: () => void;
  readonly onEnd: () => void;
}

/** A worker's side of the connection to the supervisor that started it. */
export class SupervisorLink {
  private isDraining = false;

  constructor(private readonly parts: SupervisorLinkParts) {
    process.on('message', (message: unknown) => {
      if (isMessage(message)) this.take(message as ToWorker);
    });
    // A worker that nobody watches would go on for ever beside those of the next supervisor.
    process.on('disconnect', () => this.drain());
  }

  sayStarted(): void {
    this.send({ kind: 'started' });
  }

  /** A drained process ends: the connection must not keep it alive. */
  close(): void {
    if (process.connected) process.disconnect();
  }

  private take(message: ToWorker): void {
    if (message.kind === 'drain') this.drain();
    else if (message.kind === 'end') this.parts.onEnd();
    else if (message.kind === 'report') void this.report(message.id);
  }

  private drain(): void {
    if (this.isDraining) return;
    this.isDraining = true;
    this.parts.onDrain();
  }

  private async report(id: number): Promise<void> {
    this.send({ kind: 'reported', id, report: await this.parts.report() });
  }

  private send(message: FromWorker): void {
    // The supervisor may be gone at any moment.
    if (process.connected) process.send?.(message, undefined, undefined, () => {});
  }
}
