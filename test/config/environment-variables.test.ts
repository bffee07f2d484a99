import { describe, expect, it } from 'vitest'
import { compareFlags } from '../../src/config/compare-flags.ts'
import { findUnknownVariables } from '../../src/config/environment-variables.ts'
import { getVariableName, indexFlagsByKey } from '../../src/config/flag-names.ts'
import { resolveSettings } from '../../src/config/resolve-settings.ts'
import { serveFlags } from '../../src/config/serve-flags.ts'
import { summarizeFlags } from '../../src/config/summarize-flags.ts'
import { createFolder } from '../support/run-cli.ts'
import { runInProcess } from '../support/run-in-process.ts'

/** The environment variables of a pod next to services named claude-batch and claude-batch-metrics. */
const kubernetes = {
  CLAUDE_BATCH_SERVICE_HOST: '10.0.0.1',
  CLAUDE_BATCH_SERVICE_PORT: '8000',
  CLAUDE_BATCH_SERVICE_PORT_HTTP: '8000',
  CLAUDE_BATCH_PORT: 'tcp://10.0.0.1:8000',
  CLAUDE_BATCH_PORT_8000_TCP: 'tcp://10.0.0.1:8000',
  CLAUDE_BATCH_PORT_8000_TCP_PROTO: 'tcp',
  CLAUDE_BATCH_PORT_8000_TCP_PORT: '8000',
  CLAUDE_BATCH_PORT_8000_TCP_ADDR: '10.0.0.1',
  CLAUDE_BATCH_METRICS_SERVICE_HOST: '10.0.0.2',
  CLAUDE_BATCH_METRICS_PORT: 'udp://10.0.0.2:9',
  CLAUDE_BATCH_METRICS_PORT_9_UDP_ADDR: '10.0.0.2',
}

/** The environment variables of a container that is linked to a container named claude-batch. */
const docker = {
  CLAUDE_BATCH_NAME: '/web/claude-batch',
  CLAUDE_BATCH_PORT: 'tcp://172.17.0.5:8000',
  CLAUDE_BATCH_PORT_8000_TCP_START: 'tcp://172.17.0.5:8000',
  CLAUDE_BATCH_ENV_NODE_VERSION: '24',
}

/** The settings of `serve` in an empty folder, and the warnings. */
async function settingsOfServe(env: Record<string, string>, isOnCommandLine: (name: string) => boolean) {
  const warnings: string[] = []
  const settings = await resolveSettings(serveFlags, {
    env,
    cwd: await createFolder({}),
    uid: process.getuid?.(),
    knownFlags: indexFlagsByKey(compareFlags, serveFlags, summarizeFlags),
    inputRoots: [],
    config: undefined,
    profile: undefined,
    isOnCommandLine,
    onSkipped: () => {},
    onWarning: (warning) => warnings.push(warning),
  })
  return { settings: Object.fromEntries(settings), warnings }
}

describe('an environment variable', () => {
  it('is not parsed if the command line sets the same flag', async () => {
    const flags = Object.entries(serveFlags).filter(([name]) => name !== 'config' && name !== 'profile')
    for (const [name, flag] of flags) {
      const env = { [getVariableName(flag)]: ' ' }
      expect(await settingsOfServe(env, (given) => given === name)).toEqual({ settings: {}, warnings: [] })
      await expect(settingsOfServe(env, () => false)).rejects.toThrow(getVariableName(flag))
    }
  })

  it('may have an invalid value if the command line sets the same flag', async () => {
    const cwd = await createFolder({})
    const env = { CLAUDE_BATCH_RPM: 'many' }
    expect(await runInProcess(['config', '--rpm', '5'], { cwd, env })).toMatchObject({ code: 0, stderr: '' })
    expect((await runInProcess(['config'], { cwd, env })).code).toBe(2)
  })

  it('that Kubernetes or Docker set for a service is ignored without a warning', async () => {
    for (const env of [kubernetes, docker])
      expect(await settingsOfServe(env, () => false)).toEqual({ settings: {}, warnings: [] })
    const { settings } = await settingsOfServe({ ...kubernetes, CLAUDE_BATCH_PORT: '81' }, () => false)
    expect(settings).toEqual({ port: { value: 81, origin: 'CLAUDE_BATCH_PORT' } })
  })

  it('with a mistyped name causes a warning with the nearest name, and the command continues', async () => {
    const cwd = await createFolder({ 'docs/a.md': 'A text.' })
    const env = {
      CLAUDE_BATCH_MAXCOST: 'sk-ant-secret',
      CLAUDE_BATCH_ZZZZZZZZZ: '1',
      CLAUDE_BATCH_SIMULATE: '1',
    }
    for (const command of [['config'], ['summarize', 'docs', '--dry-run']])
      expect(await runInProcess(command, { cwd, env })).toMatchObject({
        code: 0,
        stderr: expect.stringContaining(
          'claude-batch: CLAUDE_BATCH_MAXCOST is ignored: there is no such setting; did you mean CLAUDE_BATCH_MAX_COST?\n' +
            'claude-batch: CLAUDE_BATCH_ZZZZZZZZZ is ignored: there is no such setting\n',
        ) as string,
      })
    for (const command of [
      ['batches', 'status', '.'],
      ['compare', 'docs', '--ext', 'none'],
    ]) {
      const { stderr } = await runInProcess(command, { cwd, env })
      expect(stderr).toMatch(/^claude-batch: CLAUDE_BATCH_MAXCOST is ignored/)
      expect(stderr).not.toContain('secret')
    }
  })

  it('exists for every flag', () => {
    const flags = indexFlagsByKey(compareFlags, serveFlags, summarizeFlags)
    const env = Object.fromEntries([...flags.values()].map((flag) => [getVariableName(flag), 'x']))
    expect(findUnknownVariables(flags.values(), env)).toEqual([])
  })
})
