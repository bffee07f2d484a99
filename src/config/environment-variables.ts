import { findNearestName } from '../core/text/find-nearest-name.ts'
import type { Flag } from './flag.ts'
import { getVariableName } from './flag-names.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Returns the value of a flag's environment variable; undefined if it is missing, empty, or set by Kubernetes
 * or Docker.
 */
export function readVariable(flag: Flag, env: Environment): string | undefined {
  const name = getVariableName(flag)
  const text = env[name]
  return text === undefined || text === '' || isServiceLink(name, text) ? undefined : text
}

/**
 * Returns a warning for each `CLAUDE_BATCH_*` variable that is not the variable of a flag. The warnings leave
 * out the values, which may be secrets.
 * @param flags all flags of all commands that read settings
 */
export function findUnknownVariables(flags: Iterable<Flag>, env: Environment): string[] {
  const knownNames = new Set([...flags].map(getVariableName))
  return Object.entries(env)
    .filter(
      ([name, text = '']) =>
        name.startsWith(variablePrefix) && !knownNames.has(name) && !isServiceLink(name, text),
    )
    .map(([name]) => {
      // Compared without the common prefix, which would make any two names look similar.
      const suggestion = findNearestName(
        name.slice(variablePrefix.length),
        [...knownNames].map((other) => other.slice(variablePrefix.length)),
      )
      const hint = suggestion === undefined ? '' : `; did you mean ${variablePrefix}${suggestion}?`
      return `${name} is ignored: there is no such setting${hint}`
    })
}

const variablePrefix = 'CLAUDE_BATCH_'

/**
 * Whether Kubernetes set the variable for a service, or Docker for a linked container, whose name is
 * `claude-batch` or begins with `claude-batch-`. Such variables hold addresses, not settings.
 * @see https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
 * @see https://docs.docker.com/engine/network/links/#environment-variables
 */
function isServiceLink(name: string, text: string): boolean {
  if (/_SERVICE_(HOST|PORT(_\w+)?)$/.test(name)) return true
  if (/_PORT_\d+_(TCP|UDP|SCTP)(_(ADDR|PORT|PROTO|START|END|PORT_START|PORT_END))?$/.test(name)) return true
  if (/_PORT$/.test(name)) return /^(tcp|udp|sctp):\/\//.test(text)
  if (/_NAME$/.test(name)) return /^\/[^/]+\/[^/]+$/.test(text)
  return name.startsWith(`${variablePrefix}ENV_`)
}
