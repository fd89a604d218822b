/** Where an app's HTTP API is, as far as that is set. */
export interface AppAddress {
  readonly cluster: string;
  readonly useTLS: boolean;
  /** Instead of the cluster's. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** Origin of an app's HTTP API, as Pusher's own library makes it of the same options. */
export function originOf({ cluster, useTLS, host, port }: AppAddress): string {
  const name = host || `api-${cluster}.pusher.com`;
  const bracketed = name.includes(':') ? `[${name}]` : name;
  return new URL(`${useTLS ? 'https' : 'http'}://${bracketed}${port === undefined ? '' : `:${port}`}`).origin;
}
