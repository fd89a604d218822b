import { once } from 'node:events';
import { connect } from 'node:net';
import { type ConfigPart, configPart } from '../../../../src/config/part';
import { port, variable } from '../../../../src/config/variable';
import { errorCode } from '../../../../src/errors';
import type { Finding } from '../../../../src/observability/finding';
import { Section } from '../../../../src/settings/section';
import { switchFields } from '../../../../src/settings/section-fields';
import type { OpenSource, SourceContext, SourceModule } from '../../../../src/sources/source-module';
import { LinesSource } from './lines-source';

const linesConfig: ConfigPart<{ readonly port: number }> = configPart({
  name: 'lines',
  title: 'Lines',
  variables: { LINES_PORT: variable(port, 4000, 'Port of the broker of lines.') },
  read: ({ LINES_PORT }) => ({ port: LINES_PORT }),
});

const MAX_MESSAGES = 100;

const linesSection = new Section({ name: 'lines', fields: switchFields, index: 'lines' });

/** Everything that the relay is told of this kind of source. */
export const linesModule: SourceModule = {
  kind: 'lines',
  config: linesConfig,
  section: linesSection,
  switchedOnBy: 'LINES_PORT',
  isEnabled: () => true,
  mostHeld: () => MAX_MESSAGES,
  open,
  inspect: async ({ config }) => [await reach(linesConfig.of(config).port)],
};

function open({ config, maxBytes, log }: SourceContext): OpenSource {
  const source = new LinesSource({
    port: linesConfig.of(config).port,
    maxMessages: MAX_MESSAGES,
    maxBytes,
    log,
  });
  return {
    source,
    ownName: 'the lines',
    follow: (instance, settings) => {
      const isWanted = linesSection.of(settings)?.enabled === true;
      source.follow(instance, isWanted);
      return isWanted;
    },
    depths: async () => {
      const messages = await source.depth();
      return messages === undefined ? [] : [{ queue: 'lines', messages }];
    },
    close: () => source.close(),
  };
}

async function reach(at: number): Promise<Finding> {
  const socket = connect(at, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return { part: 'lines', check: 'connection', state: 'ok', detail: 'answers' };
  } catch (error) {
    return { part: 'lines', check: 'connection', state: 'trouble', detail: errorCode(error) };
  } finally {
    socket.destroy();
  }
}
