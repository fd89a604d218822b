/** One reading of the relay's /metrics. */
export class RelayMetrics {
  constructor(private readonly text: string) {}

  /** Deliveries that came to an end, delivered or dead. */
  get ended(): number {
    return this.sum('relay_deliveries_total');
  }

  get dead(): number {
    return this.sum('relay_deliveries_total', 'outcome="dead"');
  }

  /** Attempts that were not the last one of their delivery. */
  get retried(): number {
    return this.sum('relay_attempts_total') - this.ended;
  }

  get parked(): number {
    return this.sum('relay_parked_total');
  }

  private sum(name: string, label = ''): number {
    return this.text
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) && line.includes(label))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }
}
