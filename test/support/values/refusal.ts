/** What Redis answers where it does not take a command, as ioredis hands it over. */
export function refusal(message: string): Error {
  return Object.assign(new Error(message), { name: 'ReplyError' });
}
