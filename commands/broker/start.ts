// `ktool broker start`: the bundled broker in the background. Prints HOST:PORT alone, for `$(ktool broker start)`.

import { brokerFlags } from '../../src/cli/broker-command.ts'
import { KtoolCommand } from '../../src/cli/base-command.ts'
import { brokerSettings, flagsFor } from '../../src/cli/broker-flags.ts'
import { clientAddress } from '../../src/cli/control.ts'
import { localPaths } from '../../src/cli/paths.ts'
import { startBroker } from '../../src/cli/verbs/broker.ts'

export default class BrokerStart extends KtoolCommand {
  static override description =
    'Returns when the broker answers, and prints its HOST:PORT. Running already with the same settings is fine, too.'

  static override usage = ['broker start [--port N] [--topic NAME[:PARTITIONS]]… [--ephemeral] [OPTIONS]']

  static override examples = [
    { description: 'A broker with a topic, for programs on this machine', command: 'ktool broker start --topic orders:3' },
    { description: 'A throw-away broker on a free port', command: 'address=$(ktool broker start --ephemeral --port 0)' },
  ]

  static override flags = brokerFlags

  async run(): Promise<void> {
    const { flags } = await this.parse(BrokerStart)
    const paths = localPaths(process.env)
    const settings = await brokerSettings(flags, paths.dataDirectory)
    const { status, warnings } = await startBroker(settings, flagsFor(flags, settings), paths, process.env)
    for (const warning of warnings) this.output.talk(`warning: ${warning}`)
    if (this.output.isJson) this.output.json({ address: clientAddress(status), ...status })
    else this.output.line(clientAddress(status))
  }
}
