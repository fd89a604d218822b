import { DESTINATIONS, Modules, SOURCES } from '../../../src/modules';
import { letterboxModule } from './letterbox/letterbox-module';

/** The relay with one destination more: this line and a folder are all that it needs. */
export const TOY_MODULES = new Modules([...DESTINATIONS, letterboxModule], SOURCES);
