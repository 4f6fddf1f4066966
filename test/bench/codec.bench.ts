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

/** Nanoseconds a call, the best of several rounds. */
async function time(what: string, call: () => unknown): Promise<number> {
  let best = Infinity
  for (let round = 0; round < 7; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < 100_000; i++) {
      const result = call()
      if (result instanceof Promise) await result
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 100_000)
  }
  console.log(`${best.toFixed(0).padStart(7)} ns  ${what}`)
  return best
}

await time('Produce 13 request, decode', () => Produce.request.codec(13).decodeAll(produceBytes))
await time('Produce 13 request, encode with its frame', () => encodeRequestFrame(Produce, 13, header, produce))
await time('Produce 13 response, encode with its frame', () => encodeResponseFrame(Produce, 13, 1, produced))
const ours = {
  encode: await time('Metadata 6 request, encode', () => Metadata.request.codec(6).encodeAll(metadata)),
  decode: await time('Metadata 6 response, decode', () => decodeResponsePayload(Metadata, 6, answer)),
}
const theirs = {
  encode: await time('Metadata 6 request, encode (kafkajs)', () => kafkajsMetadata({ topics: ['events'] }).encode()),
  decode: await time('Metadata 6 response, decode (kafkajs)', () => kafkajsAnswer.decode(answer)),
}
console.log(`kafkajs / ours: encode ${(theirs.encode / ours.encode).toFixed(1)}, decode ${(theirs.decode / ours.decode).toFixed(1)}`)
