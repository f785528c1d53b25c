import HTTP
import Platform
import Shared

/// What every answer to a request says about it, whoever gives the answer and whatever it is
/// (`contract/API_CORE.md` 1.3), and what the request log says.
struct RequestTrace: Sendable {
    /// The caller's own id if it is harmless, else a new one.
    let requestID: String
    /// From the header, prefixed `ext_`, else the body's, else the request's own.
    private(set) var correlationID: String
    /// The effective workspace; nil where there is none.
    var workspace: WorkspaceID?
    /// The caller's W3C trace, if it has one.
    let context: TraceContext?
    /// Our hop of that trace; nil without one.
    let spanID: String?
    /// What pages of allowed origins are told.
    var crossOrigin: HTTPFields = [:]
    let method: HTTPMethod?
    /// The template of what serves it; nil when nothing does.
    var route: String?
    let startedMs: Int64
    private let hasCorrelationHeader: Bool

    /// - Parameter request: Nil when it cannot even be read.
    init(_ request: HTTPRequest?, _ environment: APIEnvironment) {
        let fields = request?.fields ?? [:]
        requestID = Self.accepted(fields[.xRequestID]) ?? "req_" + environment.newCorrelationID()
        let header = Self.accepted(fields[.xCorrelationID])
        hasCorrelationHeader = header != nil
        correlationID = header.map { "ext_\($0)" } ?? requestID
        context = TraceContext(fields)
        spanID = context == nil ? nil : Hex.text(environment.entropy.bytes(8))
        method = request?.method
        startedMs = environment.clock.monotonicMilliseconds()
    }

    /// The body names what it belongs to; a header that does so wins.
    mutating func take(bodyCorrelationID id: String?) {
        if !hasCorrelationHeader, let id = Self.accepted(id) { correlationID = id }
    }

    /// The response with the fields that every answer has.
    func marking(_ response: HTTPResponse) -> HTTPResponse {
        var response = response
        response.fields.set(.xRequestID, requestID)
        response.fields.set(.xCorrelationID, correlationID)
        if let workspace { response.fields.set(.xWorkspaceID, workspace.rawValue) }
        for (name, value) in crossOrigin { response.fields.set(name, value) }
        return response
    }

    /// The line of the request log, once the answer is known: never a body, a query or a credential.
    func log(_ response: HTTPResponse, _ environment: APIEnvironment) {
        environment.log.debug(
            "http.request",
            [
                "method": .text(method?.rawValue ?? "-"), "route": .text(route ?? "-"),
                "status": .number(Int64(response.status.code)),
                "duration_ms": .number(environment.clock.monotonicMilliseconds() - startedMs),
                "request_id": .text(requestID), "correlation_id": .text(correlationID),
                "workspace_id": .text(workspace?.rawValue ?? "-"), "trace_id": .text(context?.traceID ?? "-"),
                "span_id": .text(spanID ?? "-"),
            ])
    }

    private static func accepted(_ id: String?) -> String? {
        guard let id = Limits.trimmed(id), (8...128).contains(id.utf8.count) else { return nil }
        let isHarmless = id.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: ":"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return isHarmless ? id : nil
    }
}
