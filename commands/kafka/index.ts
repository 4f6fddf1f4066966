// The faces: Apache's tools by their names. Each is loaded alone, and brings what runs it: as a bundle it has classes of
// errors of its own.

import { type FaceName, OTHER_NAMES } from '../../src/cli/apache/face-names.ts'
import type { Face, FaceIo, runFace } from '../../src/cli/apache/face.ts'

type Load = () => Promise<{ readonly face: Face; readonly runFace: typeof runFace }>

// kafka-server-start is the daemon, which src/main.ts becomes.
const FACES: Readonly<Record<Exclude<FaceName, 'kafka-server-start'>, Load>> = {
  'kafka-dump-log': () => import('./kafka-dump-log.ts'),
  'kafka-acls': () => import('./kafka-acls.ts'),
  'kafka-configs': () => import('./kafka-configs.ts'),
  'kafka-delete-records': () => import('./kafka-delete-records.ts'),
  'kafka-log-dirs': () => import('./kafka-log-dirs.ts'),
  'kafka-leader-election': () => import('./kafka-leader-election.ts'),
  'kafka-producer-perf-test': () => import('./kafka-producer-perf-test.ts'),
  'kafka-consumer-perf-test': () => import('./kafka-consumer-perf-test.ts'),
  'kafka-reassign-partitions': () => import('./kafka-reassign-partitions.ts'),
  'kafka-console-consumer': () => import('./kafka-console-consumer.ts'),
  'kafka-console-producer': () => import('./kafka-console-producer.ts'),
  'kafka-server-stop': () => import('./kafka-server-stop.ts'),
  'kafka-storage': () => import('./kafka-storage.ts'),
  'kafka-topics': () => import('./kafka-topics.ts'),
  'kafka-consumer-groups': () => import('./kafka-consumer-groups.ts'),
  'kafka-get-offsets': () => import('./kafka-get-offsets.ts'),
  'kafka-groups': () => import('./kafka-groups.ts'),
  'kafka-broker-api-versions': () => import('./kafka-broker-api-versions.ts'),
  'kafka-cluster': () => import('./kafka-cluster.ts'),
  'kafka-features': () => import('./kafka-features.ts'),
  'kafka-metadata-quorum': () => import('./kafka-metadata-quorum.ts'),
  'kafka-transactions': () => import('./kafka-transactions.ts'),
}

/** Throws for one that isn't there. */
export function loadFace(name: Exclude<FaceName, 'kafka-server-start'>): ReturnType<Load> {
  return FACES[name]()
}

/** Runs the face of this name (without .sh) and sets process.exitCode. */
export async function main(name: string, argv: readonly string[]): Promise<void> {
  const load = (FACES as Readonly<Record<string, Load | undefined>>)[OTHER_NAMES[name] ?? name]
  if (load === undefined) {
    process.stderr.write(`ktool: there is no ${name} here; see \`ktool faces --help\`\n`)
    process.exitCode = 2
    return
  }
  const { face, runFace } = await load()
  const io: FaceIo = {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    // Made when they are first looked at, which costs some milliseconds.
    get stdin() {
      return process.stdin
    },
    get stdout() {
      return process.stdout
    },
    env: process.env,
  }
  process.exitCode = await runFace(face, argv, io)
}
