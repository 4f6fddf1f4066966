// `ktool broker run` for its help alone: main.ts turns the process into the daemon before a command could run.

import { brokerFlags } from '../../src/cli/broker-command.ts'
import { KtoolCommand } from '../../src/cli/base-command.ts'

export default class BrokerRun extends KtoolCommand {
  static override description =
    "Says `listening on HOST:PORT` on stderr once it answers, and stops cleanly on Ctrl-C and SIGTERM. It takes Kafka's own settings, best " +
    "in a file, where a password is not in everybody's sight: any number of listeners at once, PLAINTEXT, SSL, SASL_PLAINTEXT and SASL_SSL, with " +
    'PLAIN and SCRAM, client certificates, and PEM, PKCS12 or JKS stores. SCRAM users are made with `ktool configs alter --user`. Commands on this ' +
    'machine use the PLAINTEXT listener if there is one; --command-config says how to get in otherwise. Rules about who may do what, as `ktool acls` ' +
    'makes them, count with authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer, super.users and ' +
    'allow.everyone.if.no.acl.found. Settings, users and rules go with the data directory to Apache Kafka and back.'

  static override usage = ['broker run [--port N] [--data-dir DIR] [--config server.properties] [OPTIONS]']

  static override examples = [
    { description: 'With settings of your own', command: 'ktool broker run --port 19092 --property log.retention.ms=60000' },
    { description: 'For other machines to reach', command: 'ktool broker run --host 0.0.0.0 --advertise kafka.example:9092' },
  ]

  static override flags = brokerFlags

  run(): Promise<void> {
    return Promise.reject(new Error('main.ts runs the daemon'))
  }
}
