#!/usr/bin/env node
import { run } from './commands';

void run(process.argv);
