import type { ApiProvider } from '../../core/request/providers.ts'
import { UsageError } from '../../errors.ts'
import type { OpenSdkClient, SdkClient, SdkClientContext } from '../sdk-client.ts'
import { readAwsCredentials, readAwsRegion } from './aws-credentials.ts'
import { readGoogleCredentials } from './google-credentials.ts'
import { loadPlatformPackage, type PlatformPackage } from './platform-package.ts'
import { readKey, readName, readUrl } from './read-setting.ts'

/** A provider whose client is a separate package. */
export type Platform = Exclude<ApiProvider, 'anthropic'>

type Options = Readonly<Record<string, unknown>>

interface PlatformClient {
  readonly packageName: string
  readonly className: string
  /** Returns the options of the client: credentials, region and base URL. */
  readonly readOptions: (context: SdkClientContext, platformPackage: PlatformPackage) => Promise<Options>
}

/**
 * Returns a function that creates the official client of a platform. Everything is read from the given
 * environment, except what the credential chains of AWS and Google read themselves.
 * @throws UsageError if the package of the client is not installed
 */
export function openPlatformClient(platform: Platform): OpenSdkClient {
  const { packageName, className, readOptions } = platformClients[platform]
  const platformPackage = loadPlatformPackage(packageName)
  return async (context) => {
    // Reports a program that fails before the run writes anything.
    await context.keySource?.getKey()
    const options = {
      ...(await readOptions(context, platformPackage)),
      ...(context.headers !== undefined && { defaultHeaders: context.headers }),
      fetch: context.fetch,
      logLevel: 'off',
    }
    const Client = platformPackage.exports[className] as new (
      options: Options,
    ) => SdkClient & {
      readonly ready?: Promise<void>
    }
    const client = new Client(options)
    return Object.assign(client, { signsBodies: !isKeyUsed(options) })
  }
}

/** Whether the client sends a key, and does not sign. */
function isKeyUsed({ apiKey, skipAuth }: Options): boolean {
  return Boolean(apiKey) || skipAuth === true
}

/** Returns the variable that determines the address of a platform. */
export function findAddressVariable(platform: Platform, env: SdkClientContext['env']): string {
  const urlVariable = baseUrlVariables[platform]
  return env[urlVariable]?.trim() ? urlVariable : nameVariables[platform]
}

/** The variables with the name from which the address of each platform is made. */
const nameVariables: Readonly<Record<Platform, string>> = {
  bedrock: 'AWS_REGION',
  vertex: 'CLOUD_ML_REGION',
  foundry: 'ANTHROPIC_FOUNDRY_RESOURCE',
  aws: 'AWS_REGION',
}

/** The variables that replace the address of each platform. */
const baseUrlVariables: Readonly<Record<Platform, string>> = {
  bedrock: 'ANTHROPIC_BEDROCK_BASE_URL',
  vertex: 'ANTHROPIC_VERTEX_BASE_URL',
  foundry: 'ANTHROPIC_FOUNDRY_BASE_URL',
  aws: 'ANTHROPIC_AWS_BASE_URL',
}

const platformClients: Readonly<Record<Platform, PlatformClient>> = {
  bedrock: {
    packageName: '@anthropic-ai/bedrock-sdk',
    className: 'AnthropicBedrock',
    async readOptions(context, platformPackage) {
      const { env, keySource } = context
      const baseURL = readUrl(env, baseUrlVariables.bedrock)
      const apiKey = readKey(env, 'AWS_BEARER_TOKEN_BEDROCK')
      const signs = keySource === undefined && apiKey === undefined
      // The region is part of the address and of signatures.
      const region = baseURL === undefined || signs ? await readAwsRegion(platformPackage, env) : undefined
      return {
        baseURL: baseURL ?? `https://bedrock-runtime.${region}.amazonaws.com`,
        ...(region !== undefined && { awsRegion: region }),
        apiKey: keySource === undefined ? (apiKey ?? null) : null,
        skipAuth: keySource !== undefined,
        ...(signs && (await readAwsOptions(platformPackage, context, 'awsSecretKey'))),
      }
    },
  },
  vertex: {
    packageName: '@anthropic-ai/vertex-sdk',
    className: 'AnthropicVertex',
    async readOptions({ env, keySource }, platformPackage) {
      // Null, so that the client derives the address from the region.
      const baseURL = readUrl(env, baseUrlVariables.vertex) ?? null
      const region = readName(env, 'CLOUD_ML_REGION')
      if (region === undefined)
        throw new UsageError('no region of Vertex AI: set CLOUD_ML_REGION, for example to global')
      const project = env['ANTHROPIC_VERTEX_PROJECT_ID']?.trim() || undefined
      if (keySource === undefined)
        return { baseURL, region, ...(await readGoogleCredentials(platformPackage, project)) }
      if (project === undefined)
        throw new UsageError('no Google Cloud project: set ANTHROPIC_VERTEX_PROJECT_ID')
      const authClient = { getRequestHeaders: async () => new Headers() }
      return { baseURL, region, projectId: project, authClient }
    },
  },
  foundry: {
    packageName: '@anthropic-ai/foundry-sdk',
    className: 'AnthropicFoundry',
    async readOptions({ env, keySource }) {
      const baseURL = readUrl(env, baseUrlVariables.foundry)
      const resource = readName(
        env,
        'ANTHROPIC_FOUNDRY_RESOURCE',
        '; for an address, set ANTHROPIC_FOUNDRY_BASE_URL',
      )
      if (baseURL !== undefined && resource !== undefined)
        throw new UsageError(
          'ANTHROPIC_FOUNDRY_RESOURCE and ANTHROPIC_FOUNDRY_BASE_URL are both set; unset one of them',
        )
      if (baseURL === undefined && resource === undefined)
        throw new UsageError('no resource of Microsoft Foundry: set ANTHROPIC_FOUNDRY_RESOURCE')
      const apiKey = readKey(env, 'ANTHROPIC_FOUNDRY_API_KEY')
      if (keySource === undefined && apiKey === undefined)
        throw new UsageError(
          'no credentials for Microsoft Foundry: set ANTHROPIC_FOUNDRY_API_KEY, or use a key command that prints a token of Entra (see docs/providers.md)',
        )
      return {
        baseURL: baseURL ?? null,
        resource: resource ?? null,
        // The empty key is not sent, and keeps the client from reading the environment.
        ...(keySource === undefined
          ? { apiKey }
          : { apiKey: '', azureADTokenProvider: () => keySource.getKey() }),
      }
    },
  },
  aws: {
    packageName: '@anthropic-ai/aws-sdk',
    className: 'AnthropicAws',
    async readOptions(context, platformPackage) {
      const { env, keySource } = context
      const baseURL = readUrl(env, baseUrlVariables.aws)
      const workspaceId = env['ANTHROPIC_AWS_WORKSPACE_ID']?.trim()
      if (!workspaceId)
        throw new UsageError(
          'no workspace of Claude Platform on AWS: set ANTHROPIC_AWS_WORKSPACE_ID, for example to wrkspc_01ABC',
        )
      const apiKey = readKey(env, 'ANTHROPIC_AWS_API_KEY')
      const signs = keySource === undefined && apiKey === undefined
      const awsRegion = baseURL === undefined || signs ? await readAwsRegion(platformPackage, env) : undefined
      return {
        baseURL,
        workspaceId,
        ...(awsRegion !== undefined && { awsRegion }),
        apiKey: keySource === undefined ? (apiKey ?? null) : null,
        skipAuth: keySource !== undefined,
        ...(signs && (await readAwsOptions(platformPackage, context, 'awsSecretAccessKey'))),
      }
    },
  },
}

/** Returns the credentials of AWS as options; the two packages name the secret key differently. */
async function readAwsOptions(
  platformPackage: PlatformPackage,
  context: SdkClientContext,
  secretKeyOption: 'awsSecretKey' | 'awsSecretAccessKey',
): Promise<Options> {
  const found = await readAwsCredentials(platformPackage, context)
  if ('resolveProvider' in found) return { providerChainResolver: found.resolveProvider }
  const { accessKeyId, secretAccessKey, sessionToken } = found.keys
  return {
    awsAccessKey: accessKeyId,
    [secretKeyOption]: secretAccessKey,
    awsSessionToken: sessionToken ?? null,
  }
}
