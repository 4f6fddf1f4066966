// The bit fields that say what a client may do. Without an authorizer everybody may do all that a resource has.

export const NOT_ASKED = -2147483648
// 1 << operation: read 3, write 4, create 5, delete 6, alter 7, describe 8, cluster action 9, describe configs 10,
// alter configs 11, idempotent write 12 (AclEntry.supportedOperations).
export const TOPIC_OPERATIONS = bits(3, 4, 5, 6, 7, 8, 10, 11)
export const GROUP_OPERATIONS = bits(3, 6, 8, 10, 11)
export const CLUSTER_OPERATIONS = bits(5, 7, 8, 9, 10, 11, 12)

function bits(...operations: readonly number[]): number {
  return operations.reduce((field, operation) => field | (1 << operation), 0)
}
