import { API_KEY, ask, type HttpAnswer } from '../harness/gateway-harness';

/** Asks for pages as a browser does, without being one: with a cookie and forms. */
export class DashboardClient {
  constructor(
    private readonly port: number,
    /** As `Cookie` has it; empty: not logged in. */
    public cookie = '',
  ) {}

  static async logIn(port: number, key = API_KEY, instance = ''): Promise<DashboardClient> {
    const client = new DashboardClient(port);
    const answer = await client.post('/dashboard/log-in', { key, instance });
    if (answer.status !== 303) throw new Error(`log-in answered ${answer.status}`);
    client.cookie = cookieOf(answer);
    return client;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
    return ask(this.port, 'GET', path, {
      key: null,
      headers: { ...this.own, accept: 'text/html', ...headers },
    });
  }

  post(
    path: string,
    fields: Readonly<Record<string, string | readonly string[]>>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HttpAnswer> {
    const pairs = Object.entries(fields).flatMap(([name, value]) =>
      [value].flat().map((each): [string, string] => [name, each]),
    );
    const body = new URLSearchParams(pairs).toString();
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    return ask(this.port, 'POST', path, { key: null, body, headers: { ...this.own, ...type, ...headers } });
  }

  /** What forms of this session carry. */
  async csrf(): Promise<string> {
    const { text } = await this.get('/dashboard');
    return /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
  }

  private get own(): Record<string, string> {
    return this.cookie === '' ? {} : { cookie: this.cookie };
  }
}

/** Name and value of the cookie that an answer sets. */
export function cookieOf({ headers }: HttpAnswer): string {
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}
