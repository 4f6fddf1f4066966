// kafka-acls: reference kafka-tools.md §11 and §32.

import { unusableAddresses } from './addresses.ts'
import { ON_THIS_MACHINE, type Play } from './play.ts'

const ALICE = '--allow-principal User:alice'

export const play: Play = {
  tool: 'kafka-acls',
  properties: ['authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer', 'super.users=User:ANONYMOUS'],
  mask: {
    why: 'hash sets: operations in a message, and which rule is the first, which a blank more stands before',
    apply: (text) =>
      text
        .replaceAll(/(?<=supports operations )\[[A-Z_, ]+\]/g, (set) => `[${set.slice(1, -1).split(', ').sort().join(', ')}]`)
        .replaceAll(/^ \t/gm, '\t'),
  },
  files: { 'client.properties': 'request.timeout.ms=20000\n' },
  steps: [
    // What is wrong with the command line.
    { words: '', bare: true },
    '--help',
    '--version',
    { words: '--list', bare: true },
    '--bootstrap-controller ADDRESS --list',
    '--topic orders',
    '--list --add',
    `--list ${ALICE}`,
    '--list --producer',
    '--add --topic orders',
    `--add ${ALICE}`,
    `--add ${ALICE} --producer`,
    `--add ${ALICE} --consumer --topic orders`,
    `--add ${ALICE} --idempotent --topic orders`,
    `--add ${ALICE} --producer --topic orders --operation Read`,
    `--add ${ALICE} --consumer --topic orders --group g --deny-host 1.2.3.4`,
    `--add ${ALICE} --consumer --topic orders --group g --cluster`,
    `--add ${ALICE} --topic orders --principal User:bob`,
    `--add ${ALICE} --topic orders --resource-pattern-type any`,
    `--add ${ALICE} --topic orders --resource-pattern-type bogus`,
    `--add ${ALICE} --topic orders --resource-pattern-type unknown`,
    `--add ${ALICE} --topic orders --operation Fly`,
    `--add ${ALICE} --topic orders --operation DESCRIBE_CONFIGS`,
    `--add ${ALICE} --topic orders --operation ClusterAction`,
    '--add --allow-principal alice --topic orders',
    '--bogus',
    '--list --topic',
    '--command-config DIR/absent.properties --list',
    ...unusableAddresses('--list'),
    // None yet.
    '--list',
    '--list --topic orders',
    '--list --principal User:alice',
    // Creation.
    `--add ${ALICE} --topic orders --operation Read`,
    `--add ${ALICE} --topic orders --operation Read`,
    { words: `--add ${ALICE} --allow-principal User:bob --topic orders --operation Read --operation Write`, isUnordered: true },
    '--add --deny-principal User:carol --deny-host 10.0.0.1 --topic orders',
    { words: `--add ${ALICE} --allow-host 10.0.0.2 --deny-principal User:dave --deny-host '*' --cluster --operation alter`, isUnordered: true },
    `--add ${ALICE} --topic pre --resource-pattern-type prefixed --operation describe`,
    `--add ${ALICE} --group '*' --operation read`,
    { words: `--add --allow-principal User:writer --producer --topic events`, isUnordered: true },
    { words: `--add --allow-principal User:writer --producer --idempotent --topic events --transactional-id tx`, isUnordered: true },
    { words: `--add --allow-principal User:reader --consumer --topic events --group readers`, isUnordered: true },
    `--add ${ALICE} --user-principal User:bob --operation CreateTokens`,
    `--add ${ALICE} --delegation-token abc --operation Describe`,
    `--add ${ALICE} --topic '' --operation Read`,
    ...['Create', 'Delete', 'Alter', 'AlterConfigs', 'DescribeConfigs', 'All'].map((operation) => `--add --allow-principal User:every --topic every --operation ${operation}`),
    ...['Read', 'Describe', 'Delete', 'All'].map((operation) => `--add --allow-principal User:every --group every --operation ${operation}`),
    ...['ClusterAction', 'IdempotentWrite', 'DescribeConfigs', 'Create', 'All'].map((operation) => `--add --allow-principal User:every --cluster --operation ${operation}`),
    ...['Describe', 'Write', 'All', 'TwoPhaseCommit'].map((operation) => `--add --allow-principal User:every --transactional-id every --operation ${operation}`),
    ...['--topic every', '--group every', '--transactional-id every', '--principal User:every --cluster'].map((where) => ({ words: `--list ${where}`, isUnordered: true })),
    ...['--topic every', '--group every', '--transactional-id every'].map((where) => `--remove --force ${where}`),
    '--remove --force --allow-principal User:every --cluster',
    // Lists.
    { words: '--list', isUnordered: true },
    { words: '--list --topic orders', isUnordered: true },
    '--list --topic pre',
    '--list --topic prefixed --resource-pattern-type match',
    '--list --topic pre --resource-pattern-type prefixed',
    { words: '--list --cluster', isUnordered: true },
    { words: '--list --group readers --resource-pattern-type MATCH', isUnordered: true },
    '--list --transactional-id absent',
    { words: '--list --principal User:alice', isUnordered: true },
    { words: '--list --principal User:bob --topic orders', isUnordered: true },
    '--list --principal User:nobody',
    { words: '--list --principal User:writer --principal User:reader --topic events', isUnordered: true },
    '--command-config DIR/client.properties --list --topic pre --resource-pattern-type any',
    // Removal.
    '--remove --topic orders',
    `--remove ${ALICE} --topic orders --operation Read`,
    { words: '--remove --topic orders', input: 'y\n' },
    `--remove --force ${ALICE} --topic orders --operation Read`,
    { words: '--list --topic orders', isUnordered: true },
    '--remove --force --topic orders',
    '--list --topic orders',
    '--remove --force --topic orders',
    '--remove --force',
    '--remove --force --topic prefixed --resource-pattern-type match',
    '--list --topic pre --resource-pattern-type any',
    '--remove --force --allow-principal User:writer --producer --topic events',
    { words: '--list --topic events', isUnordered: true },
    // Spellings of former releases.
    {
      words: '--authorizer-properties zookeeper.connect=localhost:2181 --list --topic absent',
      bare: true,
      old: { sameAs: '--list --topic absent', says: ON_THIS_MACHINE, isLocal: true },
    },
    {
      words: '--authorizer-properties zookeeper.connect=localhost:2181 --list --add',
      bare: true,
      old: { sameAs: '--bootstrap-server ADDRESS --list --add' },
    },
    {
      words: '--authorizer kafka.security.authorizer.AclAuthorizer --authorizer-properties zookeeper.connect=zk.example.com:2181 --list',
      bare: true,
      old: {
        answer: {
          exit: 1,
          stdout:
            'Error while executing ACL command: --zookeeper zk.example.com:2181: Kafka has no ZooKeeper any more; name a broker with --bootstrap-server HOST:PORT\n' +
            'java.lang.IllegalArgumentException: --zookeeper zk.example.com:2181: Kafka has no ZooKeeper any more; name a broker with --bootstrap-server HOST:PORT\n\n',
        },
      },
    },
    {
      words: '--authorizer kafka.security.auth.SimpleAclAuthorizer --zk-tls-config-file DIR/client.properties --list --topic absent',
      old: { sameAs: '--list --topic absent' },
    },
  ],
}
