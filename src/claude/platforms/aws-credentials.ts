import { UsageError } from '../../errors.ts'
import { createCredentialsError } from '../credentials-error.ts'
import type { SdkClientContext } from '../sdk-client.ts'
import type { PlatformPackage } from './platform-package.ts'

type Environment = SdkClientContext['env']

/** Keys of AWS, which may be temporary. */
interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

type AwsProvider = () => Promise<AwsKeys>

/** The parts of `@aws-sdk/credential-providers` in use. */
interface CredentialProviders {
  createCredentialChain(...providers: AwsProvider[]): AwsProvider
  fromEnv(): AwsProvider
  fromNodeProviderChain(): AwsProvider
}

/**
 * Returns the credentials as the official clients take them: keys of the environment, or else what the
 * credential chain of AWS finds (profiles, SSO, web identity, containers, EC2). One chain is kept for all
 * requests, because it remembers temporary keys and renews them; the official clients would ask the metadata
 * service or STS again for every request.
 * @throws AskError if there are none
 */
export async function readAwsCredentials(
  { loadDependency }: PlatformPackage,
  env: Environment,
): Promise<{ keys: AwsKeys } | { resolveProvider: () => Promise<AwsProvider> }> {
  const [accessKeyId, secretAccessKey] = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((name) =>
    env[name]?.trim(),
  )
  if (accessKeyId && secretAccessKey) {
    const sessionToken = env['AWS_SESSION_TOKEN']?.trim()
    return { keys: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }
  }
  const providers = loadDependency('@aws-sdk/credential-providers') as unknown as CredentialProviders
  const chain = providers.createCredentialChain(providers.fromEnv(), providers.fromNodeProviderChain())
  const provider = async () => {
    try {
      return await chain()
    } catch (error) {
      throw createCredentialsError(
        error,
        'the AWS credentials',
        'set AWS_PROFILE, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws sso login',
      )
    }
  }
  // Reports missing credentials before the run writes anything.
  await provider()
  return { resolveProvider: async () => provider }
}

/**
 * Returns the region: that of the environment, or of the profile in `~/.aws/config`.
 * @throws UsageError without a region: a default would send documents to a region that the user did not choose
 */
export async function readAwsRegion({ loadDependency }: PlatformPackage, env: Environment): Promise<string> {
  const region = env['AWS_REGION']?.trim() || env['AWS_DEFAULT_REGION']?.trim()
  if (region) return region
  try {
    const { BedrockRuntimeClient } = loadDependency('@aws-sdk/client-bedrock-runtime') as unknown as {
      BedrockRuntimeClient: new (options: object) => { config: { region(): Promise<string> } }
    }
    return await new BedrockRuntimeClient({}).config.region()
  } catch {
    throw new UsageError('no AWS region: set AWS_REGION, or region in the profile of ~/.aws/config')
  }
}
