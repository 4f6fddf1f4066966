/** The release whose tools the faces are: what their --version prints. */
export const KAFKA_VERSION = '4.3.0'
