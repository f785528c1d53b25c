/// The name of a header field, lower-cased once so that comparing is comparing bytes.
package struct HTTPFieldName: Hashable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
    package let text: String

    package init(_ name: String) { text = ASCII.lowercased(name) }

    package init(stringLiteral name: String) { self.init(name) }

    private init(known name: String) { text = name }

    package var description: String { text }

    package static let accept = HTTPFieldName(known: "accept")
    package static let acceptRanges = HTTPFieldName(known: "accept-ranges")
    package static let accessControlAllowHeaders = HTTPFieldName(known: "access-control-allow-headers")
    package static let accessControlAllowMethods = HTTPFieldName(known: "access-control-allow-methods")
    package static let accessControlAllowOrigin = HTTPFieldName(known: "access-control-allow-origin")
    package static let accessControlExposeHeaders = HTTPFieldName(known: "access-control-expose-headers")
    package static let accessControlMaxAge = HTTPFieldName(known: "access-control-max-age")
    package static let accessControlRequestHeaders = HTTPFieldName(known: "access-control-request-headers")
    package static let accessControlRequestMethod = HTTPFieldName(known: "access-control-request-method")
    package static let allow = HTTPFieldName(known: "allow")
    package static let authorization = HTTPFieldName(known: "authorization")
    package static let cacheControl = HTTPFieldName(known: "cache-control")
    package static let connection = HTTPFieldName(known: "connection")
    package static let contentDisposition = HTTPFieldName(known: "content-disposition")
    package static let contentEncoding = HTTPFieldName(known: "content-encoding")
    package static let contentLength = HTTPFieldName(known: "content-length")
    package static let contentRange = HTTPFieldName(known: "content-range")
    package static let contentSecurityPolicy = HTTPFieldName(known: "content-security-policy")
    package static let contentType = HTTPFieldName(known: "content-type")
    package static let cookie = HTTPFieldName(known: "cookie")
    package static let date = HTTPFieldName(known: "date")
    package static let deprecation = HTTPFieldName(known: "deprecation")
    package static let etag = HTTPFieldName(known: "etag")
    package static let expect = HTTPFieldName(known: "expect")
    package static let host = HTTPFieldName(known: "host")
    package static let idempotencyKey = HTTPFieldName(known: "idempotency-key")
    package static let idempotentReplayed = HTTPFieldName(known: "idempotent-replayed")
    package static let ifMatch = HTTPFieldName(known: "if-match")
    package static let ifNoneMatch = HTTPFieldName(known: "if-none-match")
    package static let lastEventID = HTTPFieldName(known: "last-event-id")
    package static let link = HTTPFieldName(known: "link")
    package static let location = HTTPFieldName(known: "location")
    package static let origin = HTTPFieldName(known: "origin")
    package static let range = HTTPFieldName(known: "range")
    package static let referrerPolicy = HTTPFieldName(known: "referrer-policy")
    package static let retryAfter = HTTPFieldName(known: "retry-after")
    package static let secFetchSite = HTTPFieldName(known: "sec-fetch-site")
    package static let server = HTTPFieldName(known: "server")
    package static let setCookie = HTTPFieldName(known: "set-cookie")
    package static let traceparent = HTTPFieldName(known: "traceparent")
    package static let trailer = HTTPFieldName(known: "trailer")
    package static let transferEncoding = HTTPFieldName(known: "transfer-encoding")
    package static let userAgent = HTTPFieldName(known: "user-agent")
    package static let vary = HTTPFieldName(known: "vary")
    package static let wwwAuthenticate = HTTPFieldName(known: "www-authenticate")
    package static let xAccelBuffering = HTTPFieldName(known: "x-accel-buffering")
    package static let xClaimToken = HTTPFieldName(known: "x-claim-token")
    package static let xCommitSeq = HTTPFieldName(known: "x-commit-seq")
    package static let xContentTypeOptions = HTTPFieldName(known: "x-content-type-options")
    package static let xCorrelationID = HTTPFieldName(known: "x-correlation-id")
    package static let xEngineID = HTTPFieldName(known: "x-engine-id")
    package static let xEngineToken = HTTPFieldName(known: "x-engine-token")
    package static let xRequestID = HTTPFieldName(known: "x-request-id")
    package static let xWorkspaceID = HTTPFieldName(known: "x-workspace-id")
}
