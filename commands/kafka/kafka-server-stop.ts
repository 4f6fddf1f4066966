// kafka-server-stop (a script of Apache Kafka 4.3): ends the brokers of this user that kafka-server-start has started, as their
// control sockets tell; those of `ktool broker` have other owners. Unlike Apache's, which only signals, it waits until they have stopped.

import type { Face } from '../../src/cli/apache/face.ts'
import { runningBrokers } from '../../src/cli/control.ts'
import { requestStop } from '../../src/cli/local-broker.ts'
import { localPaths } from '../../src/cli/paths.ts'

export { runFace } from '../../src/cli/apache/face.ts'

const STOP_TIMEOUT_MS = 60_000

export const face: Face = async (argv, io) => {
  const role = optionValue(argv, '--process-role=')
  const nodeId = optionValue(argv, '--node-id=')
  if (role !== '' && nodeId !== '') io.out('When both node-id and process-role are provided, the value for node-id will take precedence\n')
  const paths = localPaths(io.env)
  const running = (await runningBrokers(paths.runtimeDirectory)).filter(({ isServer }) => isServer)
  if (running.length === 0) {
    io.out('No kafka server to stop\n')
    return 1
  }
  const meant = running.filter((broker) => {
    if (nodeId !== '') return String(broker.nodeId) === nodeId
    return role === '' || (broker.settings['process.roles'] ?? 'broker,controller') === role
  })
  await Promise.all(meant.map(({ dataDirectory }) => requestStop(paths, dataDirectory, STOP_TIMEOUT_MS)))
  return 0
}

/** As the script finds it: in any word, and the last one's counts. */
function optionValue(argv: readonly string[], option: string): string {
  const found = argv.join(' ').split(option).slice(1).map((rest) => rest.split(' ', 1)[0])
  return found.at(-1) ?? ''
}
