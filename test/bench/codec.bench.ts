// What a message costs, in nanoseconds, ours and kafkajs's, same message and same process. A program, not a test:
//
//   npx esbuild test/bench/codec.bench.ts --bundle --platform=node --format=esm --packages=external \
//     --outfile=/tmp/codec.bench.mjs && NODE_PATH=node_modules node /tmp/codec.bench.mjs

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Metadata } from '../../src/protocol/apis/metadata.ts'
import { Produce } from '../../src/protocol/apis/produce.ts'
import { decodeResponsePayload, encodeRequestFrame, encodeResponseFrame } from '../../src/protocol/frames.ts'

const require = createRequire(join(process.cwd(), 'package.json'))
type KafkajsRequest = (options: object) => { encode: () => Promise<{ buffer: Buffer }> }
const requestOf = (file: string) => require(`kafkajs/src/protocol/requests/${file}`) as KafkajsRequest
const kafkajsMetadata = requestOf('metadata/v6/request')
const kafkajsAnswer = require('kafkajs/src/protocol/requests/metadata/v6/response') as {
  decode: (bytes: Buffer) => Promise<unknown>
}

const vector = JSON.parse(readFileSync('test/protocol/vectors/metadata-v6-kafkajs.json', 'utf8')) as { response: string }
const answer = Buffer.from(vector.response, 'hex').subarray(4)
const batch = Buffer.alloc(100, 1)
const produce = {
  transactionalId: null,
  acks: -1,
  timeoutMs: 30000,
  topicData: [{ name: 'events', topicId: 'Zm9vYmFyZm9vYmFyZm9vYg', partitionData: [{ index: 0, records: batch }] }],
}
const produced = {
  responses: [
    {
      name: 'events',
      topicId: 'Zm9vYmFyZm9vYmFyZm9vYg',
      partitionResponses: [{ index: 0, errorCode: 0, baseOffset: 0, logStartOffset: 0 }],
    },
  ],
}
const produceBytes = Produce.request.codec(13).encodeAll(produce)
const header = { correlationId: 1, clientId: 'bench' }
const asked = { topics: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name: 'events' }], allowAutoTopicCreation: true }
const metadata = { ...asked, includeClusterAuthorizedOperations: false, includeTopicAuthorizedOperations: false }

const CALLS = 50_000

/** Nanoseconds a call. */
async function time(call: () => unknown): Promise<number> {
  const start = process.hrtime.bigint()
  for (let i = 0; i < CALLS; i++) {
    const result = call()
    if (result instanceof Promise) await result
  }
  return Number(process.hrtime.bigint() - start) / CALLS
}

const cases: Record<string, () => unknown> = {
  'Produce 13 request, decode': () => Produce.request.codec(13).decodeAll(produceBytes),
  'Produce 13 request, encode with its frame': () => encodeRequestFrame(Produce, 13, header, produce),
  'Produce 13 response, encode with its frame': () => encodeResponseFrame(Produce, 13, 1, produced),
  'Metadata 6 request, encode': () => Metadata.request.codec(6).encodeAll(metadata),
  'Metadata 6 request, encode (kafkajs)': () => kafkajsMetadata({ topics: ['events'] }).encode(),
  'Metadata 6 response, decode': () => decodeResponsePayload(Metadata, 6, answer),
  'Metadata 6 response, decode (kafkajs)': () => kafkajsAnswer.decode(answer),
}
// Rounds in turn and the best of each, so that a busy machine is unfair to none.
const best = new Map<string, number>()
for (let round = 0; round < 15; round++) {
  for (const [what, call] of Object.entries(cases)) best.set(what, Math.min(best.get(what) ?? Infinity, await time(call)))
}
for (const [what, ns] of best) console.log(`${ns.toFixed(0).padStart(7)} ns  ${what}`)
for (const what of ['Metadata 6 request, encode', 'Metadata 6 response, decode']) {
  console.log(`kafkajs / ours, ${what}: ${((best.get(`${what} (kafkajs)`) ?? 0) / (best.get(what) ?? 0)).toFixed(1)}`)
}
