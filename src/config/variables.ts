import type { Flag } from './flag.ts'
import { nearest, variableOf } from './key.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** Returns the text of a flag's variable; undefined where it is missing, empty, or set by Kubernetes or Docker. */
export function variableText(flag: Flag, env: Environment): string | undefined {
  const name = variableOf(flag)
  const text = env[name]
  return text === undefined || text === '' || isServiceLink(name, text) ? undefined : text
}

/**
 * Returns a warning for each `CLAUDE_BATCH_*` variable that sets nothing because no flag has that name. Values are not
 * repeated: they may be secrets.
 * @param flags all flags of all commands that read settings
 */
export function unknownVariables(flags: Iterable<Flag>, env: Environment): string[] {
  const known = new Set([...flags].map(variableOf))
  return Object.entries(env)
    .filter(([name, text = '']) => name.startsWith(prefix) && !known.has(name) && !isServiceLink(name, text))
    .map(([name]) => {
      // Without what all names share, which would make any two look alike.
      const near = nearest(
        name.slice(prefix.length),
        [...known].map((other) => other.slice(prefix.length)),
      )
      const hint = near === undefined ? '' : `; did you mean ${prefix}${near}?`
      return `${name} is ignored: there is no such setting${hint}`
    })
}

const prefix = 'CLAUDE_BATCH_'

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
  return name.startsWith(`${prefix}ENV_`)
}
