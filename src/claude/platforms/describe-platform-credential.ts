import type { SdkClientContext } from '../sdk-client.ts'
import type { Platform } from './open-platform-client.ts'

/** Returns where the credential of requests to a platform comes from, never what it is. */
export function describePlatformCredential(platform: Platform, env: SdkClientContext['env']): string {
  const keyVariable = keyVariables[platform]
  if (keyVariable !== undefined && env[keyVariable]?.trim()) return keyVariable
  if (platform === 'vertex') return 'the Google credentials (Application Default Credentials)'
  if (env['AWS_ACCESS_KEY_ID']?.trim() && env['AWS_SECRET_ACCESS_KEY']?.trim()) return 'AWS_ACCESS_KEY_ID'
  const profile = env['AWS_PROFILE']?.trim()
  return profile ? `the AWS profile ${JSON.stringify(profile)}` : 'the AWS credentials'
}

const keyVariables: Readonly<Record<Platform, string | undefined>> = {
  bedrock: 'AWS_BEARER_TOKEN_BEDROCK',
  vertex: undefined,
  foundry: 'ANTHROPIC_FOUNDRY_API_KEY',
  aws: 'ANTHROPIC_AWS_API_KEY',
}
