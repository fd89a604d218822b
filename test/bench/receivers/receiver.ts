import { request } from 'undici';

/** Takes events as fast as anything here can send them, and counts them. */
export interface Receiver {
  readonly name: string;
  readonly url: string;
  /** Events that have come so far. */
  received(): Promise<number>;
}

const STATUS = '/status';

/** Reads the counter of a receiver; the reading itself is a request, too, where the receiver counts them all. */
export class Counter {
  private readings = 0;

  constructor(
    private readonly origin: string,
    private readonly parse: (text: string, readings: number) => number,
  ) {}

  static readonly path = STATUS;

  async read(): Promise<number> {
    this.readings++;
    const { body } = await request(`${this.origin}${STATUS}`);
    return this.parse(await body.text(), this.readings);
  }
}
