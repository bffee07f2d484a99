import type { Flag } from './flag.ts'
import { findNearestName, getVariableName } from './flag-names.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Returns the text of a flag's variable; undefined where it is missing, empty, or set by Kubernetes or Docker. */
export function readVariable(flag: Flag, env: Environment): string | undefined {
  const name = getVariableName(flag)
  const text = env[name]
  return text === undefined || text === '' || isServiceLink(name, text) ? undefined : text
}

/**
 * Returns a warning for each `CLAUDE_BATCH_*` variable that sets nothing because no flag has that name. Values are not
 * repeated: they may be secrets.
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
      // Without what all names share, which would make any two look alike.
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
 * Whether Kubernetes set the variable for a service, or Docker for a linked container, of the name `claude-batch` or
 * one that begins with `claude-batch-`: addresses that nobody meant as settings.
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
