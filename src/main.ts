#!/usr/bin/env node
// First: they hold for what is loaded after them.
import './startup/node-version';
import './startup/early-signals';
import './startup/v8-flags';
import './startup/lazy-parts';
import { run } from './cli/program';

// Bodies of a few KB then share an allocation instead of having one each (Node's default is 8 KB). No larger, as a
// body that is kept for long keeps its neighbours' memory, too.
Buffer.poolSize = 65_536;

void run(process.argv);
