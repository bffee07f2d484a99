import { UsageError } from '../../errors.ts'
import { createCredentialsError } from '../credentials-error.ts'
import type { PlatformPackage } from './platform-package.ts'

/** What the official client needs of a client of `google-auth-library`. */
interface GoogleClient {
  readonly projectId?: string | null | undefined
  getRequestHeaders(): Promise<Headers>
}

/** The parts of `google-auth-library` in use. */
interface GoogleAuthLibrary {
  GoogleAuth: new (options: {
    readonly scopes: string
  }) => {
    getClient(): Promise<GoogleClient>
    getProjectId(): Promise<string>
  }
}

/**
 * Reads the Application Default Credentials of Google.
 * @param project the project of the environment; otherwise it is that of the credentials
 * @throws AskError if there are no credentials, or no token for them
 * @throws UsageError if no project is known
 */
export async function readGoogleCredentials(
  { loadDependency }: PlatformPackage,
  project: string | undefined,
): Promise<{ readonly projectId: string; readonly authClient: GoogleClient }> {
  const { GoogleAuth } = loadDependency('google-auth-library') as unknown as GoogleAuthLibrary
  const auth = new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloud-platform' })
  const getHeaders = async () => {
    try {
      return await (await auth.getClient()).getRequestHeaders()
    } catch (error) {
      throw createCredentialsError(
        error,
        'the Google credentials',
        'run gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS',
      )
    }
  }
  // Reports missing credentials before the run writes anything.
  await getHeaders()
  const projectId = project ?? (await auth.getProjectId().catch(() => undefined))
  if (!projectId) throw new UsageError('no Google Cloud project: set ANTHROPIC_VERTEX_PROJECT_ID')
  return { projectId, authClient: { getRequestHeaders: getHeaders } }
}
