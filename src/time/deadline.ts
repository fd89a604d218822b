/** One point in time by which everything must be done. */
export class Deadline {
  private readonly at: number;

  constructor(ms: number) {
    this.at = Date.now() + ms;
  }

  get leftMs(): number {
    return Math.max(0, this.at - Date.now());
  }

  /** Whether `work` ended, well or badly, while more than `reserveMs` were left. */
  async reached(work: Promise<unknown>, reserveMs = 0): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const timeUp = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), Math.max(0, this.leftMs - reserveMs));
    });
    try {
      return await Promise.race([
        work.then(
          () => true,
          () => true,
        ),
        timeUp,
      ]);
    } finally {
      clearTimeout(timer);
    }
  }
}
