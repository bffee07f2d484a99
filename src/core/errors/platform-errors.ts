import type { ErrorClass } from './error-class.ts'

/** What follows from an error name of AWS, Google Cloud or Azure, and what the user can do about it. */
interface PlatformError {
  readonly errorClass: ErrorClass
  readonly remedy?: string
  /** The credentials are wrong or have expired, so no document can be the cause. */
  readonly concernsCredentials?: true
}

const expiredAwsCredentials: PlatformError = {
  errorClass: 'account',
  concernsCredentials: true,
  remedy: 'the AWS credentials have expired: renew them (for example with aws sso login)',
}
const wrongAwsCredentials: PlatformError = {
  errorClass: 'account',
  concernsCredentials: true,
  remedy: 'check the AWS credentials in use',
}
const wrongAwsSignature: PlatformError = {
  errorClass: 'account',
  concernsCredentials: true,
  remedy: 'check the AWS secret key, AWS_REGION and the clock of this machine',
}

/**
 * The errors of cloud platforms by name. Names that are missing here are classified by the HTTP status.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html#API_runtime_InvokeModel_Errors
 * @see https://cloud.google.com/apis/design/errors#handling_errors
 */
const platformErrors: Readonly<Record<string, PlatformError>> = {
  ThrottlingException: { errorClass: 'rate_limited' },
  TooManyRequestsException: { errorClass: 'rate_limited' },
  ModelNotReadyException: { errorClass: 'rate_limited' },
  ModelTimeoutException: { errorClass: 'transient' },
  ModelErrorException: { errorClass: 'transient' },
  ModelStreamErrorException: { errorClass: 'transient' },
  InternalServerException: { errorClass: 'transient' },
  InternalFailure: { errorClass: 'transient' },
  InternalError: { errorClass: 'transient' },
  ServiceUnavailableException: { errorClass: 'transient' },
  ServiceUnavailable: { errorClass: 'transient' },
  ValidationException: { errorClass: 'document' },
  ServiceQuotaExceededException: {
    errorClass: 'account',
    remedy: 'raise the quota in the Service Quotas console of AWS',
  },
  AccessDeniedException: {
    errorClass: 'account',
    remedy: 'allow these credentials the actions in docs/providers.md, and enable the model in this region',
  },
  ResourceNotFoundException: {
    errorClass: 'account',
    remedy: 'check the model id and AWS_REGION; see docs/providers.md for ids',
  },
  ExpiredTokenException: expiredAwsCredentials,
  ExpiredToken: expiredAwsCredentials,
  RequestExpired: {
    errorClass: 'account',
    concernsCredentials: true,
    remedy: 'check the clock of this machine',
  },
  UnrecognizedClientException: wrongAwsCredentials,
  InvalidClientTokenId: wrongAwsCredentials,
  MissingAuthenticationTokenException: wrongAwsCredentials,
  IncompleteSignature: wrongAwsCredentials,
  InvalidSignatureException: wrongAwsSignature,
  SignatureDoesNotMatch: wrongAwsSignature,

  RESOURCE_EXHAUSTED: { errorClass: 'rate_limited' },
  UNAVAILABLE: { errorClass: 'transient' },
  INTERNAL: { errorClass: 'transient' },
  UNKNOWN: { errorClass: 'transient' },
  ABORTED: { errorClass: 'transient' },
  CANCELLED: { errorClass: 'transient' },
  DEADLINE_EXCEEDED: { errorClass: 'transient' },
  INVALID_ARGUMENT: { errorClass: 'document' },
  FAILED_PRECONDITION: {
    errorClass: 'account',
    remedy: 'enable the model in Vertex AI Model Garden for this project and region',
  },
  UNAUTHENTICATED: {
    errorClass: 'account',
    concernsCredentials: true,
    remedy: 'renew the Google credentials (for example with gcloud auth application-default login)',
  },
  PERMISSION_DENIED: {
    errorClass: 'account',
    remedy:
      'give these credentials the role roles/aiplatform.user, and enable the Vertex AI API and the model in this project',
  },
  NOT_FOUND: {
    errorClass: 'account',
    remedy:
      'check the model id, ANTHROPIC_VERTEX_PROJECT_ID and CLOUD_ML_REGION; see docs/providers.md for ids',
  },

  AuthenticationTypeDisabled: {
    errorClass: 'account',
    concernsCredentials: true,
    remedy:
      'this resource does not accept keys; let a key command print a token of Entra (see docs/providers.md)',
  },
  DeploymentNotFound: {
    errorClass: 'account',
    remedy: 'the model must be the name of a deployment of this resource; see docs/providers.md',
  },
}

/** Errors whose name is not sufficient: the platform gives the reason only in the text. */
const platformMessages: readonly (PlatformError & { readonly pattern: RegExp })[] = [
  {
    pattern: /(bearer|security) token.*(has expired|is expired)/i,
    errorClass: 'account',
    concernsCredentials: true,
    remedy: 'the key or the credentials have expired: renew them',
  },
  {
    pattern: /tokens per day|requests per day/i,
    errorClass: 'account',
    remedy: 'the quota of this day is used up; continue tomorrow, or raise it in the console of the platform',
  },
  {
    pattern: /model identifier is invalid|invalid model identifier/i,
    errorClass: 'account',
    remedy: 'check the model id and AWS_REGION; see docs/providers.md for ids',
  },
  {
    pattern: /on-demand throughput isn.t supported/i,
    errorClass: 'account',
    remedy: 'use the id or ARN of an inference profile, such as global.anthropic.…; see docs/providers.md',
  },
]

/**
 * Returns what follows from the error of a cloud platform.
 * @param type the name of the error, which occurs only on cloud platforms
 * @param message the platform's text
 * @returns undefined if this is not the error of a cloud platform, or if its status describes it
 */
export function findPlatformError(type: string, message: string): PlatformError | undefined {
  if (!Object.hasOwn(platformErrors, type)) return undefined
  return platformMessages.find(({ pattern }) => pattern.test(message)) ?? platformErrors[type]
}
