// `ktool broker reset`: the bundled broker's data, gone. Asks on a terminal, takes --yes elsewhere.

import { confirmed } from '../../src/cli/ask.ts'
import { dataDirectoryFlag } from '../../src/cli/broker-command.ts'
import { changeFlags, KtoolCommand } from '../../src/cli/base-command.ts'
import { localPaths } from '../../src/cli/paths.ts'
import { resettable, resetBroker, tryReset } from '../../src/cli/verbs/broker.ts'

export default class BrokerReset extends KtoolCommand {
  static override description = 'Stops the broker, then deletes every topic, record and setting it has. There is no way back.'

  static override usage = ['broker reset [--yes] [--data-dir DIR]', 'broker reset --dry-run [--data-dir DIR]']

  static override examples = [{ description: 'What would go', command: 'ktool broker reset --dry-run' }]

  static override flags = {
    ...changeFlags,
    yes: { ...changeFlags.yes, summary: "Don't ask. Without a terminal to ask on, it is needed." },
    'data-dir': dataDirectoryFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(BrokerReset)
    const paths = localPaths(process.env)
    const directory = await resettable(flags['data-dir'], paths)
    if (flags['dry-run']) {
      this.#tell(directory, await tryReset(directory, paths))
      return
    }
    if (!(await confirmed(`Delete all data in ${directory}?`, this.output, flags.yes))) return
    const result = await resetBroker(directory, paths)
    if (this.output.isJson) this.output.json({ dataDirectory: directory, ...result })
    else this.output.talk(result.existed ? `deleted all data in ${directory}` : `there is no data in ${directory}`)
  }

  #tell(directory: string, { existed, stopped }: { existed: boolean; stopped: boolean }): void {
    if (this.output.isJson) {
      this.output.json({ dryRun: true, dataDirectory: directory, existed, stopped })
      return
    }
    if (stopped) this.output.talk('would stop the broker')
    this.output.talk(existed ? `would delete all data in ${directory}` : `there is no data in ${directory}`)
  }
}
