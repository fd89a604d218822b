import { isNetwork } from './formats';
import type { Reading } from './reading';
import type { Values } from './variables';

/** What every destination goes by. */
export interface OutgoingConfig {
  /** Leave `apikey` out of what is sent. */
  readonly stripApikey: boolean;
  /** Of a webhook's whole request. */
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Private networks that destinations of instances may reach. */
  readonly allowedNetworks: readonly string[];
  readonly proxy: ProxyConfig;
}

/** `HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`. */
export interface ProxyConfig {
  readonly http: string | undefined;
  readonly https: string | undefined;
  readonly except: readonly string[];
}

export function outgoingOf(values: Values, reading: Reading): OutgoingConfig {
  const wrong = values.WEBHOOK_ALLOWED_NETWORKS.filter((text) => !isNetwork(text));
  for (const text of wrong)
    reading.problem(
      `WEBHOOK_ALLOWED_NETWORKS: ${JSON.stringify(text)} must be a network such as 172.18.0.0/16`,
    );
  return {
    stripApikey: values.WEBHOOK_STRIP_APIKEY,
    timeoutMs: values.WEBHOOK_REQUEST_TIMEOUT_MS,
    connectTimeoutMs: Math.min(values.WEBHOOK_CONNECT_TIMEOUT_MS, values.WEBHOOK_REQUEST_TIMEOUT_MS),
    allowedNetworks: values.WEBHOOK_ALLOWED_NETWORKS,
    proxy: {
      http: values.HTTP_PROXY,
      https: values.HTTPS_PROXY,
      except: values.NO_PROXY.split(/[\s,]+/).filter((host) => host !== ''),
    },
  };
}
