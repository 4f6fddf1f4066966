// `ktool broker status`: whether the bundled broker runs, where, and how much it holds. Exit 3 when it does not.

import { dataDirectoryFlag } from '../../src/cli/broker-command.ts'
import { KtoolCommand, watchFlag } from '../../src/cli/base-command.ts'
import { addressOf, clientAddress } from '../../src/cli/control.ts'
import { redraw } from '../../src/cli/redraw.ts'
import { localPaths } from '../../src/cli/paths.ts'
import { brokerStatus } from '../../src/cli/verbs/broker.ts'

export default class BrokerStatusCommand extends KtoolCommand {
  static override description = 'Exits 3 when no broker runs.'

  static override exits = ['0', '1', '2', '3']

  static override usage = ['broker status [--data-dir DIR] [--watch]']

  static override examples = [{ description: 'Where it is, for a program', command: 'ktool broker status --json' }]

  static override flags = { 'data-dir': dataDirectoryFlag, watch: watchFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(BrokerStatusCommand)
    const draw = (): Promise<void> => this.#draw(flags['data-dir'])
    return flags.watch ? redraw(this.output, draw) : draw()
  }

  async #draw(dataDirectory: string | undefined): Promise<void> {
    const status = await brokerStatus(dataDirectory, localPaths(process.env))
    if (this.output.isJson) {
      this.output.json({ running: true, address: clientAddress(status), ...status })
      return
    }
    const rows = [
      ['address', clientAddress(status)],
      // One without names of its own has nothing to add.
      ...(status.listeners.length === 1 && status.listeners[0].protocol === 'PLAINTEXT'
        ? []
        : status.listeners.map((one) => [`listener ${one.name}`, `${addressOf(one)} ${one.protocol}`])),
      ['data directory', status.ephemeral ? `${status.dataDirectory} (goes when it stops)` : status.dataDirectory],
      ['log', status.logFile ?? 'its stderr'],
      ['pid', `${status.pid}`],
      ['version', status.version],
      ['cluster id', status.clusterId],
      [this.output.named('up for', 'ms'), this.output.duration(status.uptimeMs)],
      ['topics', `${status.topics} (${status.partitions} partitions)`],
      [this.output.named('on disk', 'bytes'), this.output.size(status.bytes)],
    ]
    await this.output.table([{ heading: 'broker' }, { heading: 'running' }], rows)
  }
}
