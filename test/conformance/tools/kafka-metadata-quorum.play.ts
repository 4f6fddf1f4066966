// kafka-metadata-quorum: reference kafka-tools.md §24. The cluster has a static quorum of one.

import { unusableAddresses } from './addresses.ts'
import type { Play } from './play.ts'

const CONTROLLER = 'node.id=5\nprocess.roles=controller\nlog.dirs=DATA\nlisteners=CONTROLLER://:9093\n'

const UNHEARD = 'a broker of ktool is its own controller: it has no address for controllers'

const status = (words: string) => ({ words, allowed: { broker: UNHEARD } })

export const play: Play = {
  tool: 'kafka-metadata-quorum',
  files: {
    'client.properties': 'request.timeout.ms=20000\n',
    'broker.properties': 'node.id=5\nprocess.roles=broker\n',
    'negative.properties': 'node.id=-5\n',
    'nowhere.properties': 'node.id=5\nprocess.roles=controller\n',
    'controller.properties': CONTROLLER.replace('DATA', '.') + 'advertised.listeners=CONTROLLER://controller.example:9093\ncontroller.listener.names=CONTROLLER\n',
    'nameless.properties': CONTROLLER.replace('DATA', '.'),
    'meta.properties': 'version=1\nnode.id=5\ncluster.id=MkU3OEVBNTcwNTJENDM2Qg\ndirectory.id=AAAAAAAAAAAAAAAAAAAABQ\n',
    'unformatted.properties': CONTROLLER.replace('DATA', '/nonexistent/data'),
  },
  mask: {
    why: 'the length of the metadata log, its ages, and where the controller listens',
    apply: (text) =>
      text
        .replaceAll(/(HighWatermark: +)\d+/g, '$1N')
        .replaceAll(/\t\d+ *(\t\d+ *\tTIME)/g, '\tN$1')
        .replaceAll(/\t\d+ *(\t\d+ *\t\d+ ms ago)/g, '\tN$1')
        .replaceAll(/\d+ ms ago */g, 'N ms ago')
        .replaceAll(/CONTROLLER:\/\/127\.0\.0\.1:\d+/g, 'CONTROLLER://HOST:PORT'),
  },
  steps: [
    { words: '', bare: true },
    { words: '--help', bare: true },
    { words: 'describe --status', bare: true },
    '--bootstrap-controller ADDRESS describe --status',
    'describe',
    'describe --statsu',
    'describe --status --replication',
    'describe --status --human-readable',
    'describe --human-readable',
    status('describe --status'),
    'describe --replication',
    'describe --replication --human-readable',
    status('desc --stat'),
    { words: '--bootstrap-controller ADDRESS describe --status', bare: true },
    { words: '--bootstrap-server nowhere describe --status', bare: true },
    ...unusableAddresses('describe --replication'),
    status('--command-config DIR/client.properties describe --status'),
    '--command-config DIR/absent.properties describe --status',
    'add-controller',
    '--command-config DIR/client.properties add-controller',
    '--command-config DIR/broker.properties add-controller --dry-run',
    '--command-config DIR/negative.properties add-controller',
    '--command-config DIR/nowhere.properties add-controller',
    '--command-config DIR/unformatted.properties add-controller --dry-run',
    '--command-config DIR/nameless.properties add-controller',
    '--command-config DIR/controller.properties add-controller --dry-run',
    '--command-config DIR/controller.properties add-controller',
    'remove-controller',
    'remove-controller -i 5',
    'remove-controller -i five -d AAAAAAAAAAAAAAAAAAAABQ',
    'remove-controller -i -5 -d AAAAAAAAAAAAAAAAAAAABQ',
    'remove-controller -i 5 -d nope',
    'remove-controller -i 5 -d AAAAAAAAAAAAAAAAAAAABQAAAAAAA',
    'remove-controller --controller-id 5 --controller-directory-id AAAAAAAAAAAAAAAAAAAABQ --dry-run',
    'remove-controller --controller-id 5 --controller-directory-id AAAAAAAAAAAAAAAAAAAABQ',
  ],
}
