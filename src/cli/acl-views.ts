// How rules look: a table of them, or a sentence each.

import { type CliError, errorJson, failureLine } from './errors.ts'
import type { Output } from './output.ts'
import { type AclRule, operationWord, resourceWord, type RuleOutcome } from './verbs/acls.ts'

export async function showRules(rules: readonly AclRule[], output: Output): Promise<void> {
  if (output.isJson) {
    output.json({ acls: rules })
    return
  }
  if (rules.length === 0) {
    output.talk('there are no rules like that')
    return
  }
  await output.table(
    [{ heading: 'resource' }, { heading: 'name' }, { heading: 'pattern' }, { heading: 'principal' }, { heading: 'may' }, { heading: 'operation' }, { heading: 'host' }],
    rules.map(({ resourceType, name, patternType, principal, permission, operation, host }) => [
      resourceWord(resourceType),
      name,
      patternType.toLowerCase(),
      principal,
      permission.toLowerCase(),
      operationWord(operation),
      host,
    ]),
  )
}

/** As the end of a sentence: allows User:alice to read topic orders. */
export function ruleText({ resourceType, name, patternType, principal, permission, operation, host }: AclRule): string {
  const resource = resourceType === 'CLUSTER' ? 'the cluster' : `${resourceWord(resourceType)}${patternType === 'PREFIXED' ? 's beginning with' : ''} ${name}`
  const what = operation === 'ALL' ? `everything on ${resource}` : `${operationWord(operation)} on ${resource}`
  return `${permission === 'DENY' ? 'denies' : 'allows'} ${principal} ${what}${host === '*' ? '' : ` from ${host}`}`
}

/** Says what became of each; false when one failed. With one rule that failed, the error is the command's own. */
export function reportRules(verb: 'added' | 'removed', outcomes: readonly RuleOutcome[], output: Output, isDryRun: boolean): boolean {
  const errors = outcomes.flatMap(({ error }): CliError[] => (error === null ? [] : [error]))
  if (errors.length === 1 && outcomes.length === 1) throw errors[0]
  if (output.isJson) {
    output.json({ ...(isDryRun && { dryRun: true }), acls: outcomes.map(({ rule, done, error }) => ({ ...rule, [verb]: done, error: errorJson(error) })) })
    return errors.length === 0
  }
  const word = isDryRun ? (verb === 'added' ? 'would add' : 'would remove') : verb
  for (const { rule, done, error } of outcomes) {
    if (error !== null) output.talk(`ktool: ${ruleText(rule)}: ${failureLine(error)}`)
    else output.line(done ? `${word}: ${ruleText(rule)}` : `is there already: ${ruleText(rule)}`)
  }
  return errors.length === 0
}
