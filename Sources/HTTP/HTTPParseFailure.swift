/// Why a message cannot be read: what to answer, a code for programs and a sentence for people.
package struct HTTPParseFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var status: HTTPStatus
    package var code: String
    package var detail: String

    package init(_ status: HTTPStatus, _ code: String, _ detail: String) {
        (self.status, self.code, self.detail) = (status, code, detail)
    }

    package var description: String { "\(status.code) \(code): \(detail)" }

    static func badFraming(_ detail: String) -> Self { .init(.badRequest, "bad_framing", detail) }
    static func badContentLength(_ detail: String) -> Self { .init(.badRequest, "bad_content_length", detail) }
    static func badChunk(_ detail: String) -> Self { .init(.badRequest, "bad_chunk", detail) }
    static func badHeader(_ detail: String) -> Self { .init(.badRequest, "bad_header", detail) }
    static func badHost(_ detail: String) -> Self { .init(.badRequest, "bad_host", detail) }
    static func badTarget(_ detail: String) -> Self { .init(.badRequest, "bad_target", detail) }
    static func badRequestLine(_ detail: String) -> Self { .init(.badRequest, "bad_request_line", detail) }
    static func badStatusLine(_ detail: String) -> Self { .init(.badGateway, "bad_status_line", detail) }

    static let headTooLarge = Self(.headerFieldsTooLarge, "head_too_large", "The head of the message is too large.")
    static let tooManyFields = Self(.headerFieldsTooLarge, "head_too_large", "The message has too many header fields.")
    static let uriTooLong = Self(.uriTooLong, "uri_too_long", "The request line is too long.")
    static let trailerTooLarge = Self(
        .headerFieldsTooLarge, "head_too_large", "The trailer of the message is too large.")
    package static let payloadTooLarge = Self(
        .contentTooLarge, "payload_too_large", "The body is larger than allowed here.")
    package static let requestTimeout = Self(.requestTimeout, "request_timeout", "The request did not arrive in time.")
    package static let overloaded = Self(
        .serviceUnavailable, "overloaded", "The server has all the connections it can serve.")
    package static let draining = Self(.serviceUnavailable, "draining", "The server is shutting down.")
    package static let internalError = Self(.internalServerError, "internal_error", "The answer could not be sent.")
}
