import './stand-ins';
import { runHalf } from './run';

it('keeps every promise in runs of random faults', () => runHalf(0), 24 * 3_600_000);
