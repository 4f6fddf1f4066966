// Stands between a foreign client and a broker and keeps, for each API and version that passes, one request with its
// answer as test/protocol/vectors/<api>-v<version>-<client>.json. Run by hand, once for each client:
//
//   apache-kafka start DIR 19092 advertised.listeners=PLAINTEXT://127.0.0.1:19093
//   node test/conformance/capture-vectors.mjs 19093 19092 kcat [limit in bytes]     then run kcat against port 19093
//
// Of several pairs the longest under the limit stays: it says most. Frames are kept without their length.

import { createServer, connect } from 'node:net'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const NAMES = {
  0: 'produce', 1: 'fetch', 2: 'list-offsets', 3: 'metadata', 8: 'offset-commit', 9: 'offset-fetch',
  10: 'find-coordinator', 11: 'join-group', 12: 'heartbeat', 13: 'leave-group', 14: 'sync-group',
  15: 'describe-groups', 16: 'list-groups', 17: 'sasl-handshake', 18: 'api-versions', 19: 'create-topics',
  20: 'delete-topics', 21: 'delete-records', 22: 'init-producer-id', 23: 'offset-for-leader-epoch',
  24: 'add-partitions-to-txn', 25: 'add-offsets-to-txn', 26: 'end-txn', 27: 'write-txn-markers',
  28: 'txn-offset-commit', 29: 'describe-acls', 30: 'create-acls', 31: 'delete-acls', 32: 'describe-configs',
  33: 'alter-configs', 34: 'alter-replica-log-dirs', 35: 'describe-log-dirs', 36: 'sasl-authenticate', 37: 'create-partitions',
  42: 'delete-groups', 43: 'elect-leaders', 44: 'incremental-alter-configs', 45: 'alter-partition-reassignments',
  46: 'list-partition-reassignments', 47: 'offset-delete', 48: 'describe-client-quotas', 49: 'alter-client-quotas',
  50: 'describe-user-scram-credentials', 51: 'alter-user-scram-credentials', 55: 'describe-quorum',
  57: 'update-features', 60: 'describe-cluster', 61: 'describe-producers', 64: 'unregister-broker',
  65: 'describe-transactions', 66: 'list-transactions', 68: 'consumer-group-heartbeat',
  69: 'consumer-group-describe', 74: 'list-config-resources', 75: 'describe-topic-partitions', 80: 'add-raft-voter', 81: 'remove-raft-voter',
}
const [listenPort, brokerPort, client, limit = '2000'] = process.argv.slice(2)

createServer((near) => {
  const far = connect(Number(brokerPort), '127.0.0.1')
  const sent = new Map()
  near.on('data', split((frame) => sent.set(frame.readInt32BE(4), frame)))
  far.on('data', split((frame) => keep(sent.get(frame.readInt32BE(0)), frame)))
  near.pipe(far).pipe(near)
  for (const socket of [near, far]) socket.on('error', () => [near, far].forEach((one) => one.destroy()))
}).listen(Number(listenPort), '127.0.0.1')

/** Calls `onFrame` with each whole frame of a stream. */
function split(onFrame) {
  let rest = Buffer.alloc(0)
  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readInt32BE(0)) {
      const size = rest.readInt32BE(0)
      onFrame(Buffer.from(rest.subarray(4, 4 + size)))
      rest = rest.subarray(4 + size)
    }
  }
}

function keep(request, response) {
  const api = NAMES[request?.readInt16BE(0)]
  if (api === undefined || request.length + response.length > Number(limit)) return
  const version = request.readInt16BE(2)
  const file = new URL(`../protocol/vectors/${api}-v${version}-${client}.json`, import.meta.url)
  const vector = { api, version, client, request: request.toString('hex'), response: response.toString('hex') }
  const text = JSON.stringify(vector, null, 2) + '\n'
  if (existsSync(file) && readFileSync(file).length >= text.length) return
  writeFileSync(file, text)
}
