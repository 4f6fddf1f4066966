// `ktool broker logs`: what a broker started in the background wrote, byte for byte.

import { dataDirectoryFlag } from '../../src/cli/broker-command.ts'
import { KtoolCommand } from '../../src/cli/base-command.ts'
import { localPaths } from '../../src/cli/paths.ts'
import { brokerLog } from '../../src/cli/verbs/broker.ts'

export default class BrokerLogs extends KtoolCommand {
  static override description = 'Of the broker that runs, or ran last. One that `broker run` runs writes to its own stderr.'

  static override usage = ['broker logs [--data-dir DIR]']

  static override examples = [{ description: 'The last lines', command: 'ktool broker logs | tail' }]

  static override flags = { 'data-dir': dataDirectoryFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(BrokerLogs)
    const log = await brokerLog(flags['data-dir'], localPaths(process.env))
    if (flags.verbose) this.output.talk(log.path)
    if (this.output.isJson) {
      for await (const line of log.lines()) this.output.json({ line })
      return
    }
    for await (const chunk of log.bytes()) await this.output.write(chunk)
  }
}
