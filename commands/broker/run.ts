// `ktool broker run` for its help alone: main.ts turns the process into the daemon before a command could run.

import { brokerFlags } from '../../src/cli/broker-command.ts'
import { KtoolCommand } from '../../src/cli/base-command.ts'

export default class BrokerRun extends KtoolCommand {
  static override description =
    'Says `listening on HOST:PORT` on stderr once it answers, and stops cleanly on Ctrl-C and SIGTERM.'

  static override usage = ['broker run [--port N] [--data-dir DIR] [--config server.properties] [OPTIONS]']

  static override examples = [
    { description: 'With settings of your own', command: 'ktool broker run --port 19092 --property log.retention.ms=60000' },
    { description: 'For other machines to reach', command: 'ktool broker run --host 0.0.0.0 --advertise kafka.example:9092' },
  ]

  static override flags = brokerFlags

  run(): Promise<void> {
    return Promise.reject(new Error('main.ts runs the daemon'))
  }
}
