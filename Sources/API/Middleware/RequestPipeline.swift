import Crypto
import DatabaseCore
import HTTP
import HTTPServer
import JSON
import Platform
import Shared

/// From a request to its answer: trace id, host and origin, route, identity, handler; and the one place where what is
/// thrown becomes a problem.
final class RequestPipeline: RequestHandler {
    private let environment: APIEnvironment
    private let authentication: Authentication
    private let hosts: HostPolicy
    private let routes: RouteTable

    static let bodyBytesMax = 1 << 20

    init(
        environment: APIEnvironment, authentication: Authentication, hosts: HostPolicy, routes: RouteTable
    ) {
        (self.environment, self.authentication) = (environment, authentication)
        (self.hosts, self.routes) = (hosts, routes)
    }

    func plan(for head: HTTPRequest) -> BodyPlan {
        // Nearly all requests: the route decides nothing before its body is there.
        guard head.method == .put else { return .buffer(bytesMax: Self.bodyBytesMax) }
        let stopwatch = Stopwatch(environment.clock)
        let requestID = self.requestID(head)
        var meter = routes.meters.unmatched
        do {
            try hosts.check(head)
            guard case .found(let route, let parameters) = routes.router.match(head.method, head.target),
                case .stream(let plan) = route.body
            else { return .buffer(bytesMax: Self.bodyBytesMax) }
            meter = route.meter
            switch try plan(self.context(head, route, parameters, requestID)) {
            case .sink(let sink, let bytesMax): return .sink(MeteredSink(sink, meter, stopwatch), bytesMax: bytesMax)
            case let other: return other
            }
        } catch {
            let response = trace(problem(for: error, requestID, head), requestID, nil)
            meter.answered(response, seconds: stopwatch.seconds)
            return .refuse(response)
        }
    }

    func handle(_ request: HTTPRequest) -> Reply {
        let stopwatch = Stopwatch(environment.clock)
        let requestID = self.requestID(request)
        do {
            try hosts.check(request)
            switch routes.router.match(request.method, request.target) {
            case .found(let route, let parameters):
                return stopwatch.metered(answer(request, route, parameters, requestID), route.meter)
            case .methodNotAllowed(let allow):
                let response = methodNotAllowed(request, allow, requestID)
                return stopwatch.metered(.now(trace(response, requestID, nil)), routes.meters.unmatched)
            case .notFound:
                throw Rejection(.routeNotFound, "nothing is at \(request.target.path.prefix(200))")
            }
        } catch {
            let response = trace(problem(for: error, requestID, request), requestID, nil)
            return stopwatch.metered(.now(response), routes.meters.unmatched)
        }
    }

    private func answer(
        _ request: HTTPRequest, _ route: Route, _ parameters: [String: String], _ requestID: String
    ) -> Reply {
        do {
            let context = try self.context(request, route, parameters, requestID)
            return trace(try route.handler(context), context)
        } catch {
            return .now(trace(problem(for: error, requestID, request, route.endpoint), requestID, nil))
        }
    }

    private func methodNotAllowed(
        _ request: HTTPRequest, _ allow: [HTTPMethod], _ requestID: String
    ) -> HTTPResponse {
        let allowed = allow.map(\.rawValue).joined(separator: ", ")
        if request.method == .options { return HTTPResponse(.noContent, fields: [.allow: allowed]) }
        let problem = Problem(
            Rejection(.methodNotAllowed, "\(request.method.rawValue) is not one of \(allowed)"), requestID: requestID)
        return Answers.problem(problem, fields: [.allow: allowed])
    }

    func problem(_ failure: HTTPParseFailure) -> HTTPResponse {
        let requestID = newRequestID()
        let problem = Problem(
            status: failure.status, code: failure.code, detail: failure.detail, requestID: requestID)
        let fields: HTTPFields = failure.status == .serviceUnavailable ? [.retryAfter: "1"] : [:]
        let response = trace(Answers.problem(problem, fields: fields), requestID, nil)
        routes.meters.unmatched.answered(response)
        return response
    }

    // MARK: Who and where

    private func context(
        _ request: HTTPRequest, _ route: Route, _ parameters: [String: String], _ requestID: String
    ) throws -> RequestContext {
        try Self.requireSingle(request.fields)
        let correlationID = accepted(request.fields[.xCorrelationID]).map { "ext_\($0)" } ?? requestID
        var context = RequestContext(
            requestID: requestID, correlationID: correlationID, caller: .header, workspace: .development,
            now: environment.now, endpoint: route.endpoint, parameters: parameters, request: request)
        switch route.access {
        case .anyone, .engineByBody, .scraper(isOpen: true): return context
        case .scraper:
            try authentication.requireScraper(request)
            return context
        case .operatorOnly, .engine: break
        }
        (context.caller, context.workspace) = try authentication.caller(request)
        try route.access.check(context.caller)
        return context
    }

    /// What decides who asks and for what: said twice, nobody knows which is meant.
    private static let decisive: [HTTPFieldName] = [
        .authorization, .idempotencyKey, .lastEventID, .xClaimToken, .xEngineID, .xEngineToken, .xWorkspaceID,
    ]

    private static func requireSingle(_ fields: HTTPFields) throws(Rejection) {
        for name in decisive where fields.all(name).count > 1 {
            throw .field(name.text, .ambiguousParameter, "\(name): expected one such field, found several")
        }
    }

    /// A caller's own id if it is harmless (`contract/API_CORE.md` 1.3), else a new one.
    private func requestID(_ request: HTTPRequest) -> String {
        accepted(request.fields[.xRequestID]) ?? newRequestID()
    }

    private func newRequestID() -> String { "req_" + environment.newCorrelationID() }

    private func accepted(_ id: String?) -> String? {
        guard let id, (8...128).contains(id.utf8.count) else { return nil }
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

    // MARK: Answers

    /// What was thrown, as an answer. What is no refusal is logged and not shown.
    func problem(
        for error: any Error, _ requestID: String, _ request: HTTPRequest, _ endpoint: EndpointDescription? = nil
    ) -> HTTPResponse {
        let rejection = self.rejection(for: error, requestID, request)
        if let endpoint, !endpoint.refusals.contains(rejection.reason) {
            environment.log.error(
                "an endpoint refused with a code that its definition does not name",
                ["endpoint": .text(endpoint.name), "reason_code": .text(rejection.reason.rawValue)])
        }
        var fields: HTTPFields = [:]
        switch rejection.reason.status.code {
        case 401: fields.append(.wwwAuthenticate, "Bearer realm=\"aos\"")
        case 429, 503, 507: fields.append(.retryAfter, "1")
        default: break
        }
        return Answers.problem(Problem(rejection, requestID: requestID), fields: fields)
    }

    private func rejection(for error: any Error, _ requestID: String, _ request: HTTPRequest) -> Rejection {
        switch error {
        case let rejection as Rejection: return rejection
        case let error as JSONError:
            return Rejection(
                ReasonCode(rawValue: error.kind.rawValue) ?? .invalidJSON, error.description,
                details: ["line": .integer(Int64(error.line)), "column": .integer(Int64(error.column))])
        case let error as JSONShapeError:
            let field = error.pointer.isEmpty ? "" : String(error.pointer.dropFirst()).replacing("/", with: ".")
            return Rejection(
                error.kind == .missing ? .missingField : .invalidField, error.description,
                details: ["field": .string(field), "pointer": .string(error.pointer)])
        case let error as DatabaseError where error.kind == .overloaded:
            return Rejection(.overloaded, "\(error.message); try again")
        case let error as DatabaseError where error.kind == .full:
            return Rejection(.storageFull, "the disk is full: nothing was written; free some space and try again")
        case let error as DatabaseError where error.kind == .closed:
            return Rejection(.draining, "the server is shutting down")
        case let error as DatabaseError where error.kind == .storage:
            environment.log.error("storage failed", ["request_id": .text(requestID), "error": .text("\(error)")])
            return Rejection(.storageUnavailable, "the storage has failed; the server restarts")
        default:
            environment.log.error(
                "request failed",
                [
                    "request_id": .text(requestID), "method": .text(request.method.rawValue),
                    "path": .text(request.target.path), "error": .text("\(error)"),
                ])
            return Rejection(.internalError, "something went wrong here; the log has request \(requestID)")
        }
    }

    private func trace(_ response: HTTPResponse, _ requestID: String, _ context: RequestContext?) -> HTTPResponse {
        var response = response
        response.fields.set(.xRequestID, requestID)
        response.fields.set(.xCorrelationID, context?.correlationID ?? requestID)
        if let context { response.fields.set(.xWorkspaceID, context.workspace.rawValue) }
        return response
    }

    private func trace(_ reply: Reply, _ context: RequestContext) -> Reply {
        switch reply {
        case .now(let response): .now(trace(response, context.requestID, context))
        // Deferred answers are traced by whoever completes them: see CommandBus.
        case .later: reply
        case .stream(let head, let source, let length):
            .stream(trace(head, context.requestID, context), source, length: length)
        }
    }
}

/// Which names this server answers to: a web page that points its own name at our address gets nothing.
struct HostPolicy: Sendable {
    private let hosts: Set<String>
    private let origins: Set<String>

    /// - Parameter more: Names (with port where it is not ours) that the operator allows besides loopback's.
    init(port: UInt16, more: [String]) {
        let names = ["localhost", "127.0.0.1", "[::1]"] + more
        hosts = Set(names.flatMap { [$0, "\($0):\(port)"] })
        origins = Set(
            names.flatMap { ["http://\($0)", "http://\($0):\(port)", "https://\($0)", "https://\($0):\(port)"] })
    }

    func check(_ request: HTTPRequest) throws(Rejection) {
        let host = (request.fields[.host] ?? "").lowercased()
        guard hosts.contains(host) else {
            throw Rejection(
                .hostNotAllowed,
                "this server does not answer to the host '\(host.prefix(100))'; AOS_ALLOWED_HOSTS adds names")
        }
        if let origin = request.fields[.origin], !origins.contains(origin.lowercased()) {
            throw Rejection(.originNotAllowed, "requests from pages of '\(origin.prefix(100))' are not allowed")
        }
    }
}
