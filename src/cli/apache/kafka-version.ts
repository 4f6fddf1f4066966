// Which Kafka the faces are the tools of.

/** The release whose tools the faces are: what their --version prints. */
export const KAFKA_VERSION = '4.3.0'
export const KAFKA_COMMIT = 'a9ce3221537b8653'
