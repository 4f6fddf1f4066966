// `ktool broker stop`: a clean stop, waited for. Nothing to stop is fine.

import { dataDirectoryFlag } from '../../src/cli/broker-command.ts'
import { KtoolCommand } from '../../src/cli/base-command.ts'
import { localPaths } from '../../src/cli/paths.ts'
import { stopBroker } from '../../src/cli/verbs/broker.ts'

export default class BrokerStop extends KtoolCommand {
  static override description = 'Loses nothing: what was acknowledged is on disk, and the next start finds it.'

  static override usage = ['broker stop [--data-dir DIR]']

  static override flags = { 'data-dir': dataDirectoryFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(BrokerStop)
    const stopped = await stopBroker(flags['data-dir'], localPaths(process.env))
    if (this.output.isJson) this.output.json({ stopped: stopped !== undefined, dataDirectory: stopped?.dataDirectory ?? null })
    else if (stopped === undefined) this.output.talk('no broker runs')
    else this.output.talk(`stopped the broker on ${stopped.dataDirectory}`)
  }
}
