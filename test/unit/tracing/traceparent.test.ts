import { parseTraceparent, traceparentOf } from '../../../src/tracing/traceparent';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

describe('a traceparent', () => {
  test.each([0, 1])('is read as it was written, sampled or not (%d)', (traceFlags) => {
    const context = { traceId: TRACE, spanId: SPAN, traceFlags };
    expect(parseTraceparent(traceparentOf(context))).toEqual({ ...context, isRemote: true });
  });

  test('of a later version is read as far as it is known', () => {
    expect(parseTraceparent(`cc-${TRACE}-${SPAN}-03-what-comes`)).toMatchObject({
      traceId: TRACE,
      traceFlags: 1,
    });
  });

  test.each([
    undefined,
    '',
    'nonsense',
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}`,
  ])('%p is none', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});
