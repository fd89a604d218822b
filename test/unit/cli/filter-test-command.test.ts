import { verdictRow } from '../../../src/cli/filter-test-command';
import { instanceId } from '../../../src/destinations/destination-ids';

test('a destination that the configuration hinders is not said to want something of the event', () => {
  const wanted = 'WEBSOCKET_ENABLED is not true: nothing is delivered to WebSocket clients';
  const reasons = [{ condition: 'configuration', wanted }];
  expect(verdictRow({ destination: instanceId('websocket', 'loja'), receives: false, reasons })).toEqual([
    'websocket:instance/loja',
    'no',
    wanted,
  ]);
});
