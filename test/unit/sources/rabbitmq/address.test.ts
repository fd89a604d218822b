import fc from 'fast-check';
import { connectOptions, displayAddress } from '../../../../src/sources/rabbitmq/broker-address';

/** As amqplib reads it: it decodes the virtual host once. */
function vhostOf(uri: string): string {
  return decodeURIComponent(connectOptions(uri, 8192).vhost ?? '');
}

describe('RABBITMQ_URI', () => {
  test.each([
    [
      'amqp://localhost',
      { protocol: 'amqp', hostname: 'localhost', port: 5672, username: 'guest', password: 'guest' },
    ],
    ['amqps://broker', { protocol: 'amqps', hostname: 'broker', port: 5671 }],
    ['amqps://broker:5672', { port: 5672 }],
    ['amqp://u:p@broker:1234/v', { username: 'u', password: 'p', port: 1234 }],
    ['amqp://[::1]:5672/', { hostname: '::1' }],
    ['amqp://', { hostname: 'localhost' }],
  ])('%s', (uri, expected) => {
    expect(connectOptions(uri, 8192)).toMatchObject(expected);
  });

  test('user and password are percent-decoded, whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (user, password) => {
        const uri = `amqp://${encodeURIComponent(user)}:${encodeURIComponent(password)}@host/`;
        expect(connectOptions(uri, 8192)).toMatchObject({ username: user, password });
      }),
    );
  });

  test('the virtual host is percent-decoded exactly once, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (vhost) => {
        fc.pre(!/^\.{1,2}$/.test(vhost));
        expect(vhostOf(`amqp://host/${encodeURIComponent(vhost)}`)).toBe(vhost);
      }),
    );
  });

  test.each([
    ['amqp://host', '/'],
    ['amqp://host/', '/'],
    ['amqp://host/%2F', '/'],
    ['amqp://host/%2Fprod', '/prod'],
    ['amqp://host/prod', 'prod'],
  ])('%s has the virtual host %s', (uri, vhost) => {
    expect(vhostOf(uri)).toBe(vhost);
  });

  test('heartbeat 10, so that silence is noticed within 30 s (finding 3.3), unless the address says otherwise; frames as configured', () => {
    expect(connectOptions('amqp://host', 9000)).toMatchObject({ heartbeat: 10, frameMax: 9000 });
    expect(connectOptions('amqp://host?heartbeat=5', 8192).heartbeat).toBe(5);
    for (const wrong of ['-1', 'x', '1.5']) {
      expect(connectOptions(`amqp://host?heartbeat=${wrong}`, 8192).heartbeat).toBe(10);
    }
  });

  test('what logs show has neither user nor password', () => {
    const shown = displayAddress('amqps://s3cret-user:s3cret@broker.example.test/%2Fprod?password=s3cret');
    expect(shown).not.toContain('s3cret');
    expect(shown).toMatch(/^amqps:\/\/broker\.example\.test:5671\//);
  });
});
