/** The statuses of results, as in the ledger. */
export const resultStatuses = ['summarized', 'failed', 'pending'] as const
