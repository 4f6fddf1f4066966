// `ktool broker stop`: a clean stop, waited for. Nothing to stop is fine; what was not asked about goes on.

import * as Flags from '@oclif/core/flags'
import { dataDirectoryFlag } from '../../src/cli/broker-command.ts'
import { KtoolCommand } from '../../src/cli/base-command.ts'
import { localPaths } from '../../src/cli/paths.ts'
import { directoryOf, stopBroker } from '../../src/cli/verbs/broker.ts'

export default class BrokerStop extends KtoolCommand {
  static override description =
    'Loses nothing: what was acknowledged is on disk, and the next start finds it. Without a name it is the broker on the usual ' +
    'data directory; one on another, or started with --ephemeral, is named by its address or its directory.'

  static override exits = ['0', '1', '2', '3']

  static override usage = ['broker stop [-b HOST:PORT | --data-dir DIR]']

  static override examples = [{ description: 'The one that a job has started', command: 'ktool broker stop -b "$address"' }]

  static override flags = {
    'bootstrap-server': Flags.string({ char: 'b', helpValue: 'HOST:PORT', summary: 'The broker with this address.', exclusive: ['data-dir'] }),
    'data-dir': dataDirectoryFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(BrokerStop)
    const paths = localPaths(process.env)
    const at = flags['bootstrap-server']
    const stopped = await stopBroker(at === undefined ? flags['data-dir'] : await directoryOf(at, paths), paths)
    if (this.output.isJson) this.output.json({ stopped: stopped !== undefined, dataDirectory: stopped?.dataDirectory ?? null })
    else if (stopped === undefined) this.output.talk('no broker runs')
    else this.output.talk(`stopped the broker on ${stopped.dataDirectory}`)
  }
}
