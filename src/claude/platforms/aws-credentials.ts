import type { AskError } from '../../core/errors/ask-error.ts'
import { UsageError } from '../../errors.ts'
import { createCredentialsError } from '../credentials-error.ts'
import type { SdkClientContext } from '../sdk-client.ts'
import { createAwsRequestHandler } from './aws-request-handler.ts'
import type { PlatformPackage } from './platform-package.ts'
import { readName } from './read-setting.ts'

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
  fromHttp(options: { readonly maxRetries: number; readonly timeout: number }): AwsProvider
  fromNodeProviderChain(options: { readonly clientConfig: object }): AwsProvider
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
  { env, fetch }: Pick<SdkClientContext, 'env' | 'fetch'>,
): Promise<{ keys: AwsKeys } | { resolveProvider: () => Promise<AwsProvider> }> {
  const [accessKeyId, secretAccessKey] = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'].map((name) =>
    env[name]?.trim(),
  )
  if (accessKeyId && secretAccessKey) {
    const sessionToken = env['AWS_SESSION_TOKEN']?.trim()
    return { keys: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }
  }
  const providers = loadDependency('@aws-sdk/credential-providers') as unknown as CredentialProviders
  const chain = providers.createCredentialChain(
    providers.fromEnv(),
    providers.fromNodeProviderChain({ clientConfig: { requestHandler: createAwsRequestHandler(fetch) } }),
  )
  const provider = async () => {
    try {
      return await chain()
    } catch (error) {
      throw createAwsCredentialsError((await findContainerError(providers, env)) ?? error, env)
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
export async function readAwsRegion(platformPackage: PlatformPackage, env: Environment): Promise<string> {
  const named = readName(env, 'AWS_REGION') ?? readName(env, 'AWS_DEFAULT_REGION')
  if (named !== undefined) return named
  const region = await readProfileRegion(platformPackage).catch(() => undefined)
  if (region === undefined)
    throw new UsageError('no AWS region: set AWS_REGION, or region in the profile of ~/.aws/config')
  return region
}

/** Reads the region of the profile in use, with what the package of the platform depends on. */
async function readProfileRegion({ loadDependency, name }: PlatformPackage): Promise<string> {
  if (name === '@anthropic-ai/aws-sdk') {
    const { NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS } =
      loadDependency('@smithy/config-resolver')
    const { loadConfig } = loadDependency('@smithy/node-config-provider') as unknown as {
      loadConfig(options: unknown, fileOptions: unknown): () => Promise<string>
    }
    return loadConfig(NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS)()
  }
  const { BedrockRuntimeClient } = loadDependency('@aws-sdk/client-bedrock-runtime') as unknown as {
    BedrockRuntimeClient: new (options: object) => { config: { region(): Promise<string> } }
  }
  return new BedrockRuntimeClient({}).config.region()
}

/** Asks the agent of the container again for the reason of a failure, which the chain of AWS hides. */
async function findContainerError({ fromHttp }: CredentialProviders, env: Environment): Promise<unknown> {
  const hasAgent = Object.keys(env).some((name) =>
    /^AWS_CONTAINER_CREDENTIALS_(FULL|RELATIVE)_URI$/.test(name),
  )
  if (!hasAgent) return undefined
  return fromHttp({ maxRetries: 0, timeout: 1000 })().then(
    () => undefined,
    (error: Error) => {
      const [, status] = /status: (\d{3})/.exec(error.message) ?? []
      const message = `the agent of the container issued none: ${error.message}`
      return Object.assign(new Error(message), status && { status: Number(status) })
    },
  )
}

function createAwsCredentialsError(error: unknown, env: Environment): AskError {
  const profile = env['AWS_PROFILE']?.trim()
  return profile
    ? createCredentialsError(
        error,
        `the AWS credentials of the profile ${JSON.stringify(profile)}`,
        `check the profile in ~/.aws/config, or run aws sso login --profile ${profile}`,
      )
    : createCredentialsError(
        error,
        'the AWS credentials',
        'set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run aws sso login',
      )
}
