import type { Prompt } from '../core/request/render-prompt.ts'
import type { Template } from '../core/request/template.ts'

type Vars = Readonly<Record<string, string>>

/** Replaces placeholders with their values. Placeholders inside a value are not replaced. */
export function fillSlots(prompt: Prompt, vars: Vars): Prompt {
  const { user, system } = prompt
  return { ...prompt, user: fillTemplate(user, vars), ...(system && { system: fillTemplate(system, vars) }) }
}

function fillTemplate(template: Template, vars: Vars): Template {
  return template.map((part) =>
    typeof part !== 'string' && Object.hasOwn(vars, part.slot) ? (vars[part.slot] ?? '') : part,
  )
}
