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
