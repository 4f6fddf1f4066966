// kafka-broker-api-versions: reference kafka-tools.md §20.

import { unusableAddresses } from './addresses.ts'
import type { Play, Step } from './play.ts'

/** Which APIs a broker has is compared elsewhere (apis.test.ts): here the form, and what both have. */
const DIFFERENT = 'ktool lacks the APIs of share groups, of streams groups, of delegation tokens and of the nodes of a cluster'

const all = (words: string, isBare = false): Step => ({ words, bare: isBare, allowed: { broker: DIFFERENT } })

export const play: Play = {
  tool: 'kafka-broker-api-versions',
  files: { 'client.properties': 'request.timeout.ms=20000\n', 'odd.properties': 'no.such.key=1\nrequest.timeout.ms=4000\n' },
  steps: [
    { words: '', bare: true },
    '--help',
    '--version',
    { words: '--version', bare: true },
    '--bogus',
    '--bogus=1',
    '-b ADDRESS',
    { words: '--bootstrap-server', bare: true },
    '--bootstrap-server ADDRESS',
    ...unusableAddresses(''),
    { words: '--bootstrap-server 127.0.0.1:1', bare: true },
    { words: '--bootstrap-server no.such.host.invalid:9092', bare: true },
    '--command-config DIR/absent.properties',
    '--command-config',
    all(''),
    all('--bootstrap-server=ADDRESS', true),
    all('-bootstrap-server ADDRESS', true),
    all('--bootstrap-server 127.0.0.1:1,ADDRESS', true),
    all('--command-config DIR/client.properties'),
    all('--command-config=DIR/odd.properties'),
    all('stray words'),
  ],
}
