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
    /// What counts the answers of ``route``.
    var meter: RequestMeter
    private let stopwatch: Stopwatch
    private let hasCorrelationHeader: Bool

    /// - Parameter request: Nil when it cannot even be read.
    /// - Parameter meter: Counts the answer while no route is known.
    init(_ request: HTTPRequest?, _ environment: APIEnvironment, _ meter: RequestMeter) {
        let fields = request?.fields ?? [:]
        requestID = Self.accepted(fields[.xRequestID]) ?? "req_" + environment.newCorrelationID()
        let header = Self.accepted(fields[.xCorrelationID])
        hasCorrelationHeader = header != nil
        correlationID = header.map { "ext_\($0)" } ?? requestID
        context = TraceContext(fields)
        spanID = context == nil ? nil : Hex.text(environment.entropy.bytes(8))
        method = request?.method
        stopwatch = Stopwatch(environment.clock)
        self.meter = meter
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

    /// Counts and times the answer, and says it in the request log. A stream is timed up to its head.
    func answered(_ response: HTTPResponse, _ environment: APIEnvironment) {
        let seconds = stopwatch.seconds
        meter.answered(response, seconds: seconds)
        if environment.log.writes(.debug) { log(response, seconds, environment) }
    }

    /// Never a body, a query or a credential.
    private func log(_ response: HTTPResponse, _ seconds: Double, _ environment: APIEnvironment) {
        environment.log.debug(
            "http.request",
            [
                "method": .text(method?.rawValue ?? "-"), "route": .text(route ?? "-"),
                "status": .number(Int64(response.status.code)),
                "duration_ms": .number(Int64(seconds * 1_000)),
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
