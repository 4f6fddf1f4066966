// kafka-features: reference kafka-tools.md §23 and §32.

import { unusableAddresses } from './addresses.ts'
import type { Play } from './play.ts'

const LACKING = 'ktool has neither share.version nor streams.version: it serves no share groups and no streams groups (KIP-932, KIP-1071)'

export const play: Play = {
  tool: 'kafka-features',
  files: { 'client.properties': 'request.timeout.ms=20000\n' },
  mask: { why: 'the offset of the last metadata record', apply: (text) => text.replaceAll(/Epoch: \d+/g, 'Epoch: N') },
  steps: [
    // What is wrong with the command line.
    { words: '', bare: true },
    { words: '--help', bare: true },
    { words: 'describe', bare: true },
    '--bootstrap-controller ADDRESS describe',
    'describes',
    'd',
    'describe --node-id one',
    'describe --node-id -1',
    '--command-config DIR/absent.properties describe',
    'feature-dependencies',
    'upgrade',
    'downgrade --release-version 4.1 --feature group.version=1',
    'upgrade --release-version 2.8',
    'upgrade --feature group.version',
    'upgrade --feature group.version=one',
    'upgrade --feature group.version=1 --feature group.version=1',
    'upgrade --feature group.version=0',
    'downgrade --feature group.version=-1',
    'disable --feature group.version --feature group.version',
    "disable --feature ' '",
    // Without a cluster.
    { words: 'version-mapping', bare: true },
    { words: 'version-mapping --release-version 3.9', bare: true },
    { words: 'version-mapping --release-version 4.0.1', bare: true },
    { words: 'version-mapping --release-version 2.1', bare: true },
    { words: 'feature-dependencies --feature eligible.leader.replicas.version=1 --feature metadata.version=25', bare: true },
    { words: 'feature-dependencies --feature share.version=1 --feature kraft.version=9', bare: true },
    { words: 'feature-dependencies --feature metadata.version=3', bare: true },
    { words: 'feature-dependencies --feature no.such=1', bare: true },
    ...unusableAddresses('describe'),
    // With one.
    { words: 'describe', allowed: { broker: LACKING } },
    { words: '--command-config DIR/client.properties describe --node-id 1', allowed: { broker: LACKING } },
    { words: '--bootstrap-controller ADDRESS describe', bare: true },
    'upgrade --feature group.version=1 --dry-run',
    'upgrade --feature group.version=1 --feature transaction.version=2',
    'upgrade --feature metadata.version=99 --feature group.version=1',
    'upgrade --feature no.such=1',
    'downgrade --feature no.such=0',
    'downgrade --feature group.version=0 --dry-run',
    'downgrade --feature metadata.version=25',
    'downgrade --feature metadata.version=25 --unsafe --dry-run',
    'disable --feature eligible.leader.replicas.version --dry-run',
    'disable --feature group.version',
    'downgrade --feature group.version=1',
    'upgrade --feature group.version=1',
    '--bootstrap-controller ADDRESS upgrade --feature group.version=1',
    { words: '--bootstrap-controller ADDRESS upgrade --feature group.version=1', bare: true },
    { words: 'upgrade --release-version 4.3 --dry-run', allowed: { broker: LACKING } },
    // Spellings of former releases.
    'upgrade --metadata 4.3-IV0 --dry-run',
    'upgrade --metadata 4.2-IV1',
    'downgrade --metadata 3.2',
    { words: '--describe', old: { sameAs: 'describe' }, allowed: { broker: LACKING } },
    { words: '--upgrade-all --dry-run', old: { sameAs: 'upgrade --release-version 4.3-IV0 --dry-run' }, allowed: { broker: LACKING } },
    { words: '--downgrade-all --dry-run', old: { sameAs: 'downgrade --release-version 4.3-IV0 --dry-run' }, allowed: { broker: LACKING } },
    { words: '--describe --from-controller', old: { sameAs: 'describe' }, allowed: { broker: LACKING } },
  ],
}
