// ListTransactions (66), versions 0 to 2: the transactional ids that pass all filters: states, producer ids, from version
// 1 on how long the transaction has lasted, from 2 on a pattern for the whole id.

import { ListTransactions } from '../../protocol/apis/list-transactions.ts'
import { ErrorCode } from '../../protocol/errors.ts'
import type { Handler } from '../handler.ts'
import { PHASES } from '../transactions/transaction.ts'
import { idPattern } from '../transactions/id-pattern.ts'

export const handleListTransactions: Handler<typeof ListTransactions> = async (request, { broker, isAllowed }) => {
  const { stateFilters, producerIdFilters, durationFilter, transactionalIdPattern } = request
  const states = new Set(stateFilters)
  const producerIds = new Set(producerIdFilters)
  const isWanted = idPattern(transactionalIdPattern ?? '')
  const now = broker.clock.now()
  const found = (await broker.transactions.list()).filter(
    ([id, { phase, producerId, startedAt }]) =>
      (states.size === 0 || states.has(phase)) &&
      (producerIds.size === 0 || producerIds.has(producerId)) &&
      (durationFilter < 0 || now - startedAt > durationFilter) &&
      isAllowed('DESCRIBE', 'TRANSACTIONAL_ID', id),
  )
  const ids = isWanted(found.map(([id]) => id))
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    unknownStateFilters: stateFilters.filter((name) => !PHASES.some((phase) => phase === name)),
    transactionStates: found
      .filter(([id]) => ids.has(id))
      .map(([transactionalId, { producerId, phase }]) => ({ transactionalId, producerId, transactionState: phase })),
  }
}
