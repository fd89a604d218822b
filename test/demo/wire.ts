import type { DemoEvent } from './events';

/** How events get from the core API to the relays: what a demo needs of a broker. */
export interface Wire {
  /** As it is called in texts. */
  readonly title: string;
  /** The event as this broker carries it. */
  carry(event: DemoEvent): DemoEvent;
  /** Opens what is published to; relays are consuming by now. */
  open(): Promise<Outlet>;
  /** What a relay with this name needs to consume everything that is published. */
  environmentFor(relay: string): Readonly<Record<string, string>>;
  /** Before the relays start: what they do not make themselves. */
  prepare(relays: readonly string[]): Promise<void>;
  /** Removes what a run made. */
  remove(relays: readonly string[]): Promise<void>;
  /** Where it is, and how to publish more, while everything is kept running. */
  readonly address: string;
  readonly more: string;
}

/** Where events are published. */
export interface Outlet {
  /** `onTaken` is called once the broker has it. */
  publish(event: DemoEvent, number: number, onTaken: () => void): void;
  /** Resolves when the broker has everything. */
  taken(): Promise<void>;
  close(): Promise<void>;
}
