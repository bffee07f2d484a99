import { describe, it } from 'vitest'

describe('Message Batches, which come later', () => {
  for (const row of [
    'B01 SIGKILL after the POST, before the id is stored',
    'B02 a POST that times out',
    'B03 more than 100,000 requests or 256 MB',
    'B04 names unfit for a custom_id',
    'B05 one result that errored',
    'B06 expired and canceled results',
    'B07 results cut at a line boundary',
    'B08 results cut in a line, or by a reset',
    'B09 results shuffled, doubled, unknown',
    'B10 results that are gone',
    'B11 results_url on a foreign host',
    'B12 polling through an hour of trouble',
    'B13 SIGINT while polling',
    'B14 a document edited while in flight',
    'B15 the price of a batch',
  ])
    it.todo(row)
})

describe('serve, which comes later', () => {
  for (const row of [
    'S01 loopback alone by default',
    'S02 another address without a token',
    'S03 a foreign Host',
    'S04 a foreign Origin, or a preflight',
    'S05 a missing or wrong token, or one in the query',
    'S06 a body of 60 MB, or chunked without end',
    'S07 slow headers, a thousand idle sockets',
    'S08 a client that reads nothing',
    'S09 a client that disconnects',
    'S10 a port in use, or privileged',
    'S11 more jobs than the queue holds',
    'S12 paths out of the root, unknown routes',
    'S13 text that looks like events',
    'S14 a request that names a path of the server',
    'S15 __proto__, wrong types, a depth bomb',
    'S16 an error upstream',
    'S17 SIGTERM',
    'S18 smuggled or huge headers',
  ])
    it.todo(row)
})
