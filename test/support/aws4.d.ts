declare module 'aws4' {
  interface SignedRequest {
    readonly headers: Readonly<Record<string, string>>
  }
  export function sign(
    request: {
      readonly method: string
      readonly host: string
      readonly path: string
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      readonly service: string
      readonly region: string
      readonly extraHeadersToIgnore: Readonly<Record<string, boolean>>
    },
    credentials: { readonly accessKeyId: string; readonly secretAccessKey: string },
  ): SignedRequest
}
