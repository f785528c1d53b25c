package import HTTP

/// The net as programs see it: send a request, get a response. Tests put a router in its place.
package protocol HTTPTransport: Sendable {
    func send(_ request: HTTPClientRequest) throws(HTTPClientError) -> HTTPResponse
    /// Hands over the head, then the body as it comes; `onBytes` returns false to stop early, which is no error.
    /// What the closures throw comes out as it is; the transport's own errors are ``HTTPClientError``.
    func stream(
        _ request: HTTPClientRequest, onHead: (HTTPResponse) throws -> Void,
        onBytes: (ArraySlice<UInt8>) throws -> Bool
    ) throws
}

/// A request as the client sends it; `Host`, `Connection` and the framing fields are the transport's.
package struct HTTPClientRequest: Sendable {
    package enum Body: Sendable, Hashable {
        case none
        case bytes([UInt8])
        /// The first `length` bytes of the file.
        case file(path: String, length: Int64)
    }

    package var method: HTTPMethod
    /// Path and query, percent-encoded, as they go over the wire.
    package var target: String
    package var fields: HTTPFields
    package var body: Body
    /// For everything: connecting, sending, and the whole response.
    package var deadlineMilliseconds = 30_000
    package var connectMilliseconds = 5_000
    /// Later than this after the call nothing is sent, however long connecting or anything else took.
    package var startMilliseconds: Int?
    /// The longest silence of the server while its answer is awaited or read; nil leaves it to the deadline.
    package var idleMilliseconds: Int?
    /// For the body of ``HTTPTransport/send(_:)``; a stream is bounded by whoever reads it.
    package var responseBytesMax = 16 << 20
    package var cancellation: HTTPCancellation?

    package init(_ method: HTTPMethod, _ target: String, fields: HTTPFields = [:], body: Body = .none) {
        (self.method, self.target, self.fields, self.body) = (method, target, fields, body)
    }
}

package enum HTTPClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No connection: nothing was sent.
    case unreachable(String)
    /// The time to start it in has passed: nothing was sent.
    case tooLate
    /// The outcome is unknown.
    case timeout(String)
    /// The connection died on the way: the outcome is unknown.
    case broken(String)
    case refusedURL(String)
    case tooLarge
    case protocolError(String)
    case cancelled

    package var description: String {
        switch self {
        case .unreachable(let what): "cannot connect: \(what)"
        case .tooLate: "the time to start it in has passed; nothing was sent"
        case .timeout(let what): "no answer in time: \(what)"
        case .broken(let what): "the connection broke, the outcome is unknown: \(what)"
        case .refusedURL(let what): "refused URL: \(what)"
        case .tooLarge: "the response is larger than allowed"
        case .protocolError(let what): "the server does not speak HTTP: \(what)"
        case .cancelled: "cancelled"
        }
    }
}
