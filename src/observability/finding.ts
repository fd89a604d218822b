/** One line of the `doctor` command. */
export interface Finding {
  /** Such as `rabbitmq` or `webhook:global`. */
  readonly part: string;
  readonly check: string;
  /** `note` is worth knowing and no trouble; `trouble` makes the command fail. */
  readonly state: 'ok' | 'note' | 'trouble';
  /** What was found and, where that is trouble, what helps. */
  readonly detail: string;
}
