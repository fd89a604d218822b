import { httpUrl } from '../../../src/config/formats';
import { hostAndPort } from '../../../src/config/url';
import { AddressGuard } from '../../../src/network/address-guard';

/** More than it takes until the engine compiles what is called so often. */
const CALLS = 50_000;

test('an address with letters beyond ASCII stays one, however often it is looked at', () => {
  const guard = new AddressGuard([]);
  let refused = 0;
  for (let call = 0; call < CALLS; call++) {
    if (httpUrl.parse('https://ex\u00e4mple.com/\u00fc') === undefined) refused++;
    if (guard.checkUrl('https://ex\u00e4mple.com/\u00fc') !== undefined) refused++;
  }
  expect(refused).toBe(0);
});

test('a port stands behind the brackets of an IPv6 address, as in a URL', () => {
  const addresses = [hostAndPort('::', 8080), hostAndPort('0.0.0.0', 8080), hostAndPort('relay.example', 80)];
  expect(addresses).toEqual(['[::]:8080', '0.0.0.0:8080', 'relay.example:80']);
});
