import { monotonicMs } from '../../time/monotonic';
import { type ControlChannel, RefusedError } from './control-channel';

/** The broker is asked something at least this often: readiness is its answer. */
const PULSE_MS = 4000;
/** An exchange that every broker has: asked for where there is no queue to ask for. */
const ALWAYS_THERE = 'amq.topic';

/** Asks the broker something where it has not answered lately. @throws ConnectionLostError */
export async function pulse(control: ControlChannel, queue: string | undefined): Promise<void> {
  if (monotonicMs() - control.session.answeredAt < PULSE_MS) return;
  try {
    await control.ask(async (channel) =>
      queue === undefined ? channel.checkExchange(ALWAYS_THERE) : channel.checkQueue(queue),
    );
  } catch (error) {
    // A refusal is an answer, too.
    if (!(error instanceof RefusedError)) throw error;
  }
}
