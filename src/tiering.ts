import { setFlagsFromString } from 'node:v8';

/*
 * V8 optimises a function once it has run through a budget of bytecode, together with what it calls. Its defaults suit
 * programs with little that is hot for long. A worker that finds a full queue runs all of its code thousands of times in its first
 * second, and waits for compiler threads that take a core: an eighth of the budget, and less inlining, which makes up most
 * of the compiler's work, gave 12 % more events in the first 1.5 s (`npm run bench -- --only throughput`), and cost nothing after.
 */
setFlagsFromString('--interrupt-budget=8000');
setFlagsFromString('--max-inlined-bytecode-size-cumulative=300');
