/** What a filter means, written as plainly as can be: the reference that the evaluator is compared with. */

type Fields = Readonly<Record<string, unknown>>;

/** Whether one item of an event passes; `event` is its root, with the item in place of `data`. */
export function naivePasses(filter: unknown, event: Fields, whole: unknown): boolean {
  return Object.entries(filter as Fields).every(([name, value]) => {
    if (name === '$and') return (value as unknown[]).every((each) => naivePasses(each, event, whole));
    if (name === '$or') return (value as unknown[]).some((each) => naivePasses(each, event, whole));
    if (name === '$not') return !naivePasses(value, event, whole);
    return holdsAt(reached(event, name.split('.'), whole), value);
  });
}

function holdsAt(values: readonly unknown[], condition: unknown): boolean {
  if (typeof condition !== 'object' || condition === null) return candidates(values).includes(condition);
  return Object.entries(condition).every(([operator, operand]) => {
    const some = (test: (value: unknown) => boolean): boolean => candidates(values).some(test);
    switch (operator) {
      case '$eq':
        return some((value) => value === operand);
      case '$ne':
        return !some((value) => value === operand);
      case '$in':
        return some((value) => (operand as unknown[]).includes(value));
      case '$nin':
        return !some((value) => (operand as unknown[]).includes(value));
      case '$exists':
        return values.length > 0 === operand;
      case '$startsWith':
        return some((value) => typeof value === 'string' && value.indexOf(String(operand)) === 0);
      case '$endsWith':
        return some((value) => typeof value === 'string' && value.slice(-String(operand).length) === operand);
      case '$gt':
        return some((value) => typeof value === typeof operand && (value as never) > (operand as never));
      case '$lt':
        return some((value) => typeof value === typeof operand && (value as never) < (operand as never));
      case '$not':
        return !holdsAt(values, operand);
      default:
        throw new Error(operator);
    }
  });
}

/** Every value that a path leads to. */
function reached(event: Fields, [root = '', ...names]: readonly string[], whole: unknown): unknown[] {
  if (!Object.hasOwn(event, root)) return [];
  const isOfWhole = root === 'data' && Array.isArray(whole) && /^\d+$/.test(names[0] ?? '');
  let values: unknown[] = [isOfWhole ? whole : event[root]];
  for (const name of names) values = values.flatMap((value) => membersOf(value, name));
  return values;
}

function membersOf(value: unknown, name: string): unknown[] {
  if (!Array.isArray(value)) return memberOf(value, name);
  if (/^\d+$/.test(name)) return Number(name) < value.length ? [value[Number(name)]] : [];
  return value.filter((item) => !Array.isArray(item)).flatMap((item) => memberOf(item, name));
}

function memberOf(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return [];
  return [(value as Fields)[name]];
}

/** A list stands for itself and for its items. */
function candidates(values: readonly unknown[]): unknown[] {
  return values.flatMap((value) => (Array.isArray(value) ? [value, ...value] : [value]));
}
