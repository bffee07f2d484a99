import { readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { createFolder, startService } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

const files = {
  'docs/a.md': 'The harbour board met about the channel.',
  'typo.yaml': 'versions:\n  v1: { model: claude-sonet-5-5, user_template: "Sum up {text}" }\n',
}

describe('a model that api.anthropic.com cannot have', () => {
  it.each([
    [['summarize', 'docs', '--model', 'hiku'], 'hiku', 'did you mean haiku?'],
    [['summarize', 'docs', '--model', 'gpt-4o'], 'gpt-4o', 'use haiku, sonnet, opus or a full model id'],
    [['summarize', 'docs', '--prompt', 'typo.yaml'], 'claude-sonet-5-5', 'did you mean claude-sonnet-5-5?'],
    [
      ['summarize', 'docs', '--dry-run', '--model', 'claude-haiku-5.5'],
      'claude-haiku-5.5',
      'claude-haiku-5-5?',
    ],
    [['summarize', 'docs', '--batch', '--model', 'oppus'], 'oppus', 'did you mean opus?'],
    [['compare', 'docs', '--models', 'haiku,sonet'], 'sonet', 'did you mean sonnet?'],
    [['compare', 'docs', '--models', 'haiku,sonnet', '--judge', 'oppus'], 'oppus', 'did you mean opus?'],
    [['serve', '--port', '0', '--model', 'hiku'], 'hiku', 'did you mean haiku?'],
  ])('%j ends with 2 before anything is sent or written', async (args, name, advice) => {
    const cwd = await createFolder(files)
    const { code, stdout, stderr } = await runInProcess(args, {
      cwd,
      env: { ANTHROPIC_API_KEY: 'sk-ant-test' },
    })
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(`claude-batch: api.anthropic.com has no model ${name}; `)
    expect(stderr).toContain(advice)
    expect((await readdir(cwd)).sort()).toEqual(['docs', 'typo.yaml'])
  })

  it('is sent to other servers, which have other models', async () => {
    const cwd = await createFolder(files)
    const { env, simulator } = await startService({})
    const { stderr } = await runInProcess(['summarize', 'docs', '--model', 'hiku'], { cwd, env })
    expect(stderr).not.toContain('api.anthropic.com')
    expect(simulator.stats().requests).toBe(1)
  })

  it('is not checked if the settings name its id', async () => {
    const cwd = await createFolder({
      ...files,
      'claude-batch.yaml': 'models:\n  house-model: claude-haiku-5-5\n',
    })
    const { code } = await runInProcess(['summarize', 'docs', '--dry-run', '--model', 'house-model'], {
      cwd,
      env: { ANTHROPIC_API_KEY: 'sk-ant-test' },
    })
    expect(code).toBe(0)
  })
})
