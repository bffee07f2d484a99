import { expect, it } from 'vitest'
import { batchesFlags, collectFlags } from '../../src/config/batches-flags.ts'
import { compareFlags } from '../../src/config/compare-flags.ts'
import { doctorFlags } from '../../src/config/doctor-flags.ts'
import { exportFlags } from '../../src/config/export-flags.ts'
import { getFlagName } from '../../src/config/flag-names.ts'
import { mergeFlags } from '../../src/config/merge-flags.ts'
import { reportFlags } from '../../src/config/report-flags.ts'
import { serveFlags } from '../../src/config/serve-flags.ts'
import { simulateFlags } from '../../src/config/simulate-flags.ts'
import { summarizeFlags } from '../../src/config/summarize-flags.ts'
import { unlockFlags } from '../../src/config/unlock-flags.ts'

it.each(
  Object.entries({
    summarizeFlags,
    compareFlags,
    exportFlags,
    mergeFlags,
    reportFlags,
    serveFlags,
    simulateFlags,
    doctorFlags,
    batchesFlags,
    collectFlags,
    unlockFlags,
  }),
)('%s has the names under which commander stores the options', (_, flags) => {
  for (const [key, flag] of Object.entries(flags)) {
    const camelCase = getFlagName(flag).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
    expect(key).toBe(camelCase)
  }
})
