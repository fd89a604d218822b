import { EventHeaders } from '../../../src/destinations/webhook/event-headers';

describe('the trace of an attempt', () => {
  test.each([
    ['is passed on', [], ['traceparent', '00-a-b-01']],
    ["gives way to a webhook's own header of that name", ['traceparent'], []],
  ])('%s', (_what, own, expected) => {
    const headers: string[] = [];
    new EventHeaders(new Set(own), undefined).addTrace(headers, '00-a-b-01');
    expect(headers).toEqual(expected);
  });
});
