import { SILENT } from '../../../../src/observability/logging';
import type { ControlChannel } from '../../../../src/sources/rabbitmq/control-channel';
import { ConnectionLostError } from '../../../../src/sources/rabbitmq/session';
import { UnwantedBindings } from '../../../../src/sources/rabbitmq/unwanted-bindings';

/** A broker with which every question ends the connection. */
function controlThatEnds(replyCode: number | undefined): ControlChannel {
  const lost = new ConnectionLostError('LOST', 'the connection is gone', { replyCode });
  return { ask: () => Promise.reject(lost) } as unknown as ControlChannel;
}

async function leftAfter(replyCode: number | undefined): Promise<number> {
  const unwanted = new UnwantedBindings({
    topology: { mode: 'dedicated', queue: 'relay', prefixKey: '' },
    notes: undefined,
    log: SILENT,
  });
  unwanted.drop('instance loja', { name: 'loja', instance: 'loja', events: 'all' });
  const releasing = unwanted.release(controlThatEnds(replyCode), ['relay'], () => false);
  await expect(releasing).rejects.toBeInstanceOf(ConnectionLostError);
  return unwanted.size;
}

describe('a binding that nobody wants any more', () => {
  it('is asked for once where the broker closes the connection over it: nothing would be consumed any more', async () => {
    expect(await leftAfter(541)).toBe(0);
  });

  it.each([
    ['the connection was lost', undefined],
    ['the broker went down', 320],
  ])('is taken away later where %s meanwhile', async (_what, replyCode) => {
    expect(await leftAfter(replyCode)).toBe(1);
  });
});
