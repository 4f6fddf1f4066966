// `ktool cluster`: the nodes of a cluster, what they hold and what they can do.

import * as Flags from '@oclif/core/flags'
import { systemClock } from '../src/base/clock.ts'
import { type Belongings, chosenAction, saidIn } from '../src/cli/actions.ts'
import { ClusterCommand, watchFlag } from '../src/cli/base-command.ts'
import type { Connection } from '../src/cli/connection.ts'
import { bytesText, durationText } from '../src/cli/quantities.ts'
import { redraw } from '../src/cli/redraw.ts'
import * as verbs from '../src/cli/verbs/cluster.ts'
import type { WordRules } from '../src/cli/words.ts'

type Cluster = Connection['cluster']

const ACTIONS = ['describe', 'features', 'quorum', 'versions', 'log-dirs'] as const
type Action = (typeof ACTIONS)[number]

const BELONGS: Belongings<Action> = { topic: ['log-dirs'], 'broker-id': ['log-dirs'], watch: ['describe', 'quorum', 'log-dirs'] }

export default class ClusterOverview extends ClusterCommand {
  static override words: WordRules = { actions: ACTIONS, argument: (isSaid) => (isSaid('log-dirs') ? 'topic' : undefined) }

  static override description =
    'Without more words: the id of the cluster, its controller and its brokers, with what lies on their disks. Nothing is changed; ' +
    "levels of features are changed by Apache's words, `kafka-features` (see `ktool faces`)."

  static override usage = ['cluster [--watch]', 'cluster features', 'cluster quorum [--watch]', 'cluster versions', 'cluster log-dirs [TOPIC] [--broker-id ID] [--watch]']

  static override examples = [
    { description: 'Where is it, and how full', command: 'ktool cluster' },
    { description: 'Where the partitions of a topic lie', command: 'ktool cluster log-dirs orders' },
    { description: 'What the brokers speak', command: 'ktool cluster versions --json' },
  ]

  static override flags = {
    describe: Flags.boolean({ summary: 'Show the brokers. What is done unless something else is said.' }),
    features: Flags.boolean({ summary: 'Show the levels of features: possible, and agreed on.' }),
    quorum: Flags.boolean({ summary: 'Show the controllers, and how far each has come.' }),
    versions: Flags.boolean({ summary: 'Show which versions of which API each broker takes.' }),
    'log-dirs': Flags.boolean({ summary: 'Show the log directories.' }),
    topic: Flags.string({ char: 't', helpValue: 'NAME', summary: 'Show the replicas of this topic.' }),
    'broker-id': Flags.integer({ min: 0, helpValue: 'ID', summary: 'Only the directories of this broker.' }),
    watch: watchFlag,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(ClusterOverview)
    const isGiven = saidIn(flags)
    const isPlain = !ACTIONS.some(isGiven)
    const action = await chosenAction('cluster', ACTIONS, BELONGS, (flag) => isGiven(flag) || (isPlain && flag === 'describe'), this.output)
    const { cluster } = await this.connect(flags)
    const draw = (): Promise<void> => {
      if (action === 'features') return this.#features(cluster)
      if (action === 'quorum') return this.#quorum(cluster)
      if (action === 'versions') return this.#versions(cluster)
      return action === 'log-dirs' ? this.#logDirs(cluster, flags.topic, flags['broker-id']) : this.#describe(cluster)
    }
    return flags.watch ? redraw(this.output, draw) : draw()
  }

  async #describe(cluster: Cluster): Promise<void> {
    const { clusterId, controllerId, brokers } = await verbs.overview(cluster)
    if (this.output.isJson) {
      this.output.json({ clusterId, controllerId: controllerId < 0 ? null : controllerId, brokers: brokers.map((broker) => ({ ...broker, disk: broker.disk ?? null })) })
      return
    }
    this.output.line(`cluster     ${clusterId ?? '-'}`)
    this.output.line(`controller  ${controllerId < 0 ? '-' : `broker ${controllerId}`}`)
    await this.output.table(
      [
        { heading: 'broker', align: 'right' },
        { heading: 'address' },
        { heading: 'rack' },
        { heading: 'replicas', align: 'right' },
        { heading: 'size', align: 'right' },
        { heading: 'free', align: 'right' },
      ],
      brokers.map(({ nodeId, host, port, rack, disk }) => [
        String(nodeId), `${host.includes(':') ? `[${host}]` : host}:${port}`, rack ?? '-', disk === undefined ? '-' : String(disk.replicas),
        disk === undefined ? '-' : bytesText(disk.sizeBytes), disk?.usableBytes === undefined ? '-' : bytesText(disk.usableBytes),
      ]), // prettier-ignore
    )
  }

  async #features(cluster: Cluster): Promise<void> {
    const { features, epoch } = await verbs.features(cluster)
    if (this.output.isJson) {
      this.output.json({ epoch: epoch < 0 ? null : epoch, features })
      return
    }
    await this.output.table(
      [{ heading: 'feature' }, { heading: 'level', align: 'right' }, { heading: 'from', align: 'right' }, { heading: 'to', align: 'right' }],
      features.map(({ name, finalizedLevel, minLevel, maxLevel }) => [
        name,
        finalizedLevel === 0 ? '-' : verbs.levelText(name, finalizedLevel),
        verbs.levelText(name, minLevel),
        verbs.levelText(name, maxLevel),
      ]),
    )
  }

  async #quorum(cluster: Cluster): Promise<void> {
    const { leaderId, leaderEpoch, highWatermark, voters, observers } = await verbs.quorum(cluster)
    if (this.output.isJson) {
      this.output.json({ leaderId, leaderEpoch, highWatermark, voters, observers })
      return
    }
    const end = voters.find(({ replicaId }) => replicaId === leaderId)?.logEndOffset ?? highWatermark
    const now = systemClock.now()
    const age = (at: number): string => (at < 0 ? '-' : `${durationText(Math.max(0, now - at))} ago`)
    this.output.line(`leader  node ${leaderId}, epoch ${leaderEpoch}`)
    await this.output.table(
      [
        { heading: 'node', align: 'right' },
        { heading: 'role' },
        { heading: 'log end', align: 'right' },
        { heading: 'lag', align: 'right' },
        { heading: 'caught up' },
        { heading: 'address' },
      ],
      [...voters.map((voter) => ({ ...voter, isVoter: true })), ...observers.map((observer) => ({ ...observer, isVoter: false }))].map(
        ({ replicaId, isVoter, logEndOffset, lastCaughtUpTimestamp, endpoints }) => [
          String(replicaId), replicaId === leaderId ? 'leader' : isVoter ? 'voter' : 'observer', String(logEndOffset), String(end - logEndOffset),
          age(lastCaughtUpTimestamp), endpoints.map(({ host, port }) => `${host}:${port}`).join(' ') || '-',
        ], // prettier-ignore
      ),
    )
  }

  async #versions(cluster: Cluster): Promise<void> {
    const { brokers, apis } = await verbs.apiVersions(cluster)
    if (this.output.isJson) {
      const shown = apis.map(({ key, name, versions }) => ({ key, name, versions: Object.fromEntries(versions) }))
      this.output.json({ brokers, apis: shown })
      return
    }
    const text = (range: readonly [number, number] | undefined): string => (range === undefined ? '-' : range[0] === range[1] ? String(range[0]) : `${range[0]} to ${range[1]}`)
    await this.output.table(
      [{ heading: 'key', align: 'right' }, { heading: 'api' }, ...brokers.map((broker) => ({ heading: `broker ${broker}` }))],
      apis.map(({ key, name, versions }) => [String(key), name ?? '-', ...brokers.map((broker) => text(versions.get(broker)))]),
    )
  }

  async #logDirs(cluster: Cluster, topic: string | undefined, broker: number | undefined): Promise<void> {
    const directories = await verbs.logDirectories(cluster, { topic, broker })
    if (this.output.isJson) {
      const shown = directories.map(({ error, ...directory }) => ({ ...directory, error: error?.error ?? null }))
      this.output.json({ directories: shown })
      return
    }
    if (topic !== undefined) {
      await this.output.table(
        [{ heading: 'partition', align: 'right' }, { heading: 'broker', align: 'right' }, { heading: 'size', align: 'right' }, { heading: 'lag', align: 'right' }, { heading: 'directory' }],
        directories
          .flatMap(({ broker, path, replicas }) => replicas.map((replica) => ({ ...replica, broker, path })))
          .sort((a, b) => a.partition - b.partition || a.broker - b.broker)
          .map(({ partition, broker, sizeBytes, offsetLag, path, isFuture }) => [
            String(partition), String(broker), bytesText(sizeBytes), String(offsetLag), isFuture ? `${path} (moving there)` : path,
          ]), // prettier-ignore
      )
      return
    }
    await this.output.table(
      [
        { heading: 'broker', align: 'right' },
        { heading: 'directory' },
        { heading: 'state' },
        { heading: 'replicas', align: 'right' },
        { heading: 'size', align: 'right' },
        { heading: 'free', align: 'right' },
        { heading: 'disk', align: 'right' },
      ],
      directories.map(({ broker, path, error, isCordoned, replicas, usableBytes, totalBytes }) => [
        String(broker), path, error === undefined ? (isCordoned ? 'cordoned' : 'online') : error.error, String(replicas.length),
        bytesText(replicas.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)), usableBytes < 0 ? '-' : bytesText(usableBytes),
        totalBytes < 0 ? '-' : bytesText(totalBytes),
      ]), // prettier-ignore
    )
  }
}
