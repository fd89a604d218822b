/** A minute is added every minute. */
const INTERVAL_MS = 60_000;
const HEIGHT = 200;

/** Draws what the elements with a history ask for, and keeps it up to date while it is seen. */
export function drawCharts(root) {
  for (const element of root.querySelectorAll('[data-history]')) new Chart(element).start();
}

class Chart {
  constructor(element) {
    this.element = element;
    this.plot = undefined;
  }

  start() {
    void this.update();
    document.addEventListener('visibilitychange', () => void this.update());
    addEventListener('resize', () => this.plot?.setSize(this.size()));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.plot?.destroy();
      this.plot = undefined;
      void this.update();
    });
  }

  async update() {
    clearTimeout(this.timer);
    if (document.hidden || !this.element.isConnected) return;
    try {
      const response = await fetch(this.element.dataset.history, { cache: 'no-store', redirect: 'error' });
      if (response.ok) this.draw(await response.json());
    } catch {
      // It is tried again; that the gateway is away is said by the page itself.
    }
    this.timer = setTimeout(() => void this.update(), INTERVAL_MS);
  }

  draw({ at, received, delivered, parked }) {
    if (at.length < 2) {
      this.element.replaceChildren(
        Object.assign(document.createElement('p'), { textContent: this.element.dataset.none }),
      );
      return;
    }
    const data = [at, received, delivered, parked];
    if (this.plot !== undefined) {
      this.plot.setData(data);
      return;
    }
    this.element.replaceChildren();
    this.plot = new window.uPlot({ ...this.size(), ...this.options() }, data, this.element);
  }

  size() {
    return { width: Math.max(200, this.element.clientWidth - 16), height: HEIGHT };
  }

  options() {
    const style = getComputedStyle(document.documentElement);
    const color = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: color('--soft'), grid: { stroke: color('--line'), width: 1 } };
    const line = (label, name, scale, dash) => ({
      label,
      stroke: color(name),
      width: 2,
      scale,
      dash,
      points: { show: false },
    });
    const { time, received, delivered, parked } = this.element.dataset;
    const times = { ...axis, values: (_plot, ticks) => ticks.map(shownTime) };
    return {
      cursor: { drag: { x: false, y: false } },
      scales: { rate: { range: fromZero }, count: { range: fromZero } },
      axes: [times, { ...axis, scale: 'rate' }, { ...axis, scale: 'count', side: 1, grid: { show: false } }],
      series: [
        { label: time, value: (_plot, at) => (at === null ? '–' : shownTime(at)) },
        line(received, '--soft', 'rate', [4, 4]),
        line(delivered, '--good', 'rate'),
        line(parked, '--bad', 'count'),
      ],
    };
  }
}

function fromZero(_plot, _lowest, highest) {
  return [0, Math.max(1, (highest ?? 0) * 1.1)];
}

/** As the reader's language writes it. */
function shownTime(seconds) {
  return new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: 'short' }).format(
    seconds * 1000,
  );
}
