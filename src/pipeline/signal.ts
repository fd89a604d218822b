/** Notifies any number of listeners that something happened. Listeners stay until the signal itself is forgotten. */
export class Signal<T> {
  private readonly listeners: ((what: T) => void)[] = [];

  listen(listener: (what: T) => void): void {
    this.listeners.push(listener);
  }

  emit(what: T): void {
    for (const listener of this.listeners) listener(what);
  }
}
