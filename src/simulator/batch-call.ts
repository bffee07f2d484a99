export type BatchCall = 'create' | 'list' | 'retrieve' | 'results' | 'cancel' | 'delete'

/**
 * Returns which batch call a request makes, and the id of its batch. Returns undefined for any other request.
 */
export function parseCall(
  method: string | undefined,
  path: string,
): { readonly name: BatchCall; readonly id: string } | undefined {
  const [, id = '', part = ''] = /^\/v1\/messages\/batches(?:\/([^/]+))?(?:\/(\w+))?$/.exec(path) ?? []
  const key = `${method} ${id === '' ? '' : 'id'}${part === '' ? '' : `/${part}`}`
  const name = callsByRoute[key]
  return path.startsWith('/v1/messages/batches') && name !== undefined ? { name, id } : undefined
}

const callsByRoute: Readonly<Record<string, BatchCall>> = {
  'POST ': 'create',
  'GET ': 'list',
  'GET id': 'retrieve',
  'GET id/results': 'results',
  'POST id/cancel': 'cancel',
  'DELETE id': 'delete',
}
