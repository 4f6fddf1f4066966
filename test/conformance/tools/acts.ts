// Acts that several plays need: topics with records whose times are known, and members of groups.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { Partitioners } from 'kafkajs'
import { describeGroups, listGroupOffsets } from '../../../src/client/admin.ts'
import { clientConfig } from '../../../src/client/client-config.ts'
import { connectCluster } from '../../../src/client/kafka-cluster.ts'
import { ktool, ktoolEnv } from '../support/broker.ts'
import { kafkajs } from '../support/foreign-records.ts'
import type { Act } from './play.ts'

/** The time of the first record of each partition; each later one is a minute younger. 2023-11-14T22:13:20Z. */
const FIRST = 1_700_000_000_000
const MINUTE = 60_000
const JOIN_MS = 30_000

/** Topics by name, each with so many records in its partitions. Nothing in them expires. */
export function topicsWithRecords(topics: Readonly<Record<string, readonly number[]>>): Act {
  return {
    act: `topics ${Object.keys(topics).join(', ')}`,
    run: async ({ address }) => {
      const admin = kafkajs(address).admin()
      const producer = kafkajs(address).producer({ createPartitioner: Partitioners.DefaultPartitioner })
      await Promise.all([admin.connect(), producer.connect()])
      const configEntries = [{ name: 'retention.ms', value: '-1' }]
      const wanted = Object.entries(topics).map(([topic, counts]) => ({ topic, numPartitions: counts.length, replicationFactor: 1, configEntries }))
      await admin.createTopics({ topics: wanted, waitForLeaders: true })
      for (const [topic, counts] of Object.entries(topics)) {
        for (const [partition, count] of counts.entries()) {
          // One partition a request: kafkajs sends what it must try again as a whole.
          const messages = Array.from({ length: count }, (_, at) => ({ partition, value: `${partition}-${at}`, timestamp: String(FIRST + at * MINUTE) }))
          if (count > 0) await producer.send({ topic, messages })
        }
      }
      await Promise.all([admin.disconnect(), producer.disconnect()])
      return undefined
    },
  }
}

/** A member of `group` that reads `topic` to its end and stays; `properties` are the client's. `members`: with it. */
export function joins(group: string, topic: string, properties: readonly string[], members = 1): Act {
  return {
    act: `a member of ${group}`,
    run: async ({ address, directory }) => {
      const [node, ...main] = ktool()
      const words = ['consume', '-b', address, '--group', group, '--topic', topic, '--from-beginning']
      const given = ['auto.commit.interval.ms=100', ...properties].flatMap((line) => ['--command-property', line])
      const child = spawn(node, [...main, ...words, ...given], { stdio: 'ignore', env: ktoolEnv(directory) })
      await settled(address, group, members, () => child.exitCode !== null)
      return async () => {
        const exit = once(child, 'exit')
        child.kill('SIGKILL')
        await exit
      }
    },
  }
}

/** Until the group is stable with so many members that all read something, and nothing is left to read. */
async function settled(address: string, group: string, members: number, hasEnded: () => boolean): Promise<void> {
  const cluster = connectCluster(await clientConfig(new Map([['bootstrap.servers', address]])))
  try {
    const deadline = Date.now() + JOIN_MS
    for (let before = ''; Date.now() < deadline && !hasEnded(); ) {
      await delay(300)
      const found = (await describeGroups(cluster, [group])).get(group)
      const committed = JSON.stringify(await listGroupOffsets(cluster, group))
      const readers = found?.ok === true && found.value.state === 'Stable' ? found.value.members.filter(({ assignment }) => assignment.length > 0) : []
      if (readers.length === members && committed === before && committed !== '[]') return
      before = committed
    }
    throw new Error(`the group ${group} does not settle`)
  } finally {
    await cluster.close()
  }
}
