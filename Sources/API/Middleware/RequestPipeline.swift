import Crypto
import DatabaseCore
import HTTP
import HTTPServer
import JSON
import Platform
import Shared

/// From a request to its answer: trace, host and origin, route, identity, handler; and the one place where what is
/// thrown becomes a problem.
final class RequestPipeline: RequestHandler {
    private let environment: APIEnvironment
    private let authentication: Authentication
    private let hosts: HostPolicy
    private let crossOrigin: CrossOrigin
    private let routes: RouteTable

    static let bodyBytesMax = 1 << 20

    init(
        environment: APIEnvironment, authentication: Authentication, hosts: HostPolicy, crossOrigin: CrossOrigin,
        routes: RouteTable
    ) {
        (self.environment, self.authentication) = (environment, authentication)
        (self.hosts, self.crossOrigin, self.routes) = (hosts, crossOrigin, routes)
    }

    func plan(for head: HTTPRequest) -> BodyPlan {
        // Nearly all requests: the route decides nothing before its body is there.
        guard head.method == .put else { return .buffer(bytesMax: Self.bodyBytesMax) }
        var trace = RequestTrace(head, environment, routes.meters.unmatched)
        do {
            try hosts.check(head)
            trace.crossOrigin = crossOrigin.fields(for: head)
            guard case .found(let route, let parameters) = routes.router.match(head.method, head.target),
                case .stream(let plan) = route.body
            else { return .buffer(bytesMax: Self.bodyBytesMax) }
            (trace.route, trace.meter) = (route.endpoint.path, route.meter)
            let planned = try plan(self.context(head, route, parameters, trace))
            guard case .sink(let sink, let bytesMax) = planned else { return planned }
            return .sink(TracedSink(sink, trace, environment), bytesMax: bytesMax)
        } catch {
            return .refuse(finished(problem(for: error, trace, head), trace))
        }
    }

    func handle(_ request: HTTPRequest) -> Reply {
        var trace = RequestTrace(request, environment, routes.meters.unmatched)
        do {
            try hosts.check(request)
            trace.crossOrigin = crossOrigin.fields(for: request)
            switch routes.router.match(request.method, request.target) {
            case .found(let route, let parameters): return serve(request, route, parameters, trace)
            case .methodNotAllowed(let allow):
                return .now(finished(methodNotAllowed(request, allow, trace.requestID), trace))
            case .notFound:
                throw Rejection(.routeNotFound, "nothing is at \(request.target.path.prefix(200))")
            }
        } catch {
            return .now(finished(problem(for: error, trace, request), trace))
        }
    }

    private func serve(
        _ request: HTTPRequest, _ route: Route, _ parameters: [String: String], _ trace: RequestTrace
    ) -> Reply {
        var trace = trace
        (trace.route, trace.meter) = (route.endpoint.path, route.meter)
        do {
            var context = try self.context(request, route, parameters, trace)
            trace = context.trace
            if case .json = route.body {
                context.json = try RouteTable.json(request)
                context.trace.take(bodyCorrelationID: context.json?["correlation_id"]?.stringValue)
                trace = context.trace
            }
            return finished(try route.handler(context), trace)
        } catch {
            return .now(finished(problem(for: error, trace, request, route.endpoint), trace))
        }
    }

    private func methodNotAllowed(_ request: HTTPRequest, _ allow: [HTTPMethod], _ requestID: String) -> HTTPResponse {
        let allowed = allow.map(\.rawValue).joined(separator: ", ")
        var fields: HTTPFields = [.allow: allowed]
        if request.method == .options {
            for (name, value) in crossOrigin.preflight(request, methods: allowed) { fields.append(name, value) }
            return HTTPResponse(.noContent, fields: fields)
        }
        let problem = Problem(
            Rejection(.methodNotAllowed, "\(request.method.rawValue) is not one of \(allowed)"), requestID: requestID)
        return Answers.problem(problem, fields: fields)
    }

    func problem(_ failure: HTTPParseFailure) -> HTTPResponse {
        let trace = RequestTrace(nil, environment, routes.meters.unmatched)
        let problem = Problem(
            status: failure.status, code: failure.code, detail: failure.detail, requestID: trace.requestID)
        let fields: HTTPFields = failure.status == .serviceUnavailable ? [.retryAfter: "1"] : [:]
        return finished(Answers.problem(problem, fields: fields), trace)
    }

    // MARK: Who and where

    private func context(
        _ request: HTTPRequest, _ route: Route, _ parameters: [String: String], _ trace: RequestTrace
    ) throws -> RequestContext {
        try Self.requireSingle(request.fields)
        var context = RequestContext(
            trace: trace, caller: .header, now: environment.now, endpoint: route.endpoint, parameters: parameters,
            request: request)
        switch route.access {
        case .anyone, .engineByBody, .scraper(isOpen: true): return context
        case .scraper:
            try authentication.requireScraper(request)
            return context
        case .operatorOnly, .machineOperator, .engine, .engineOnly: break
        }
        context.web = try authentication.web(request, changesNothing: route.changesNothing)
        (context.caller, context.workspace) =
            try context.web.map { ($0.caller, $0.workspace) }
            ?? authentication.caller(request, acceptsCookie: route.acceptsCookie)
        try route.access.check(context.caller)
        return context
    }

    /// What decides who asks and for what: said twice, nobody knows which is meant.
    private static let decisive: [HTTPFieldName] = [
        .authorization, .idempotencyKey, .lastEventID, .xAuthBootstrapToken, .xBootstrapToken, .xCSRFToken,
        .xClaimToken, .xEngineID, .xEngineToken, .xWorkspaceID,
    ]

    private static func requireSingle(_ fields: HTTPFields) throws(Rejection) {
        for name in decisive where fields.all(name).count > 1 {
            throw .field(name.text, .ambiguousParameter, "\(name): expected one such field, found several")
        }
    }

    // MARK: Answers

    /// What was thrown, as an answer. What is no refusal is logged and not shown.
    func problem(
        for error: any Error, _ trace: RequestTrace, _ request: HTTPRequest, _ endpoint: EndpointDescription? = nil
    ) -> HTTPResponse {
        let rejection = self.rejection(for: error, trace.requestID, request)
        if let endpoint, !endpoint.refusals.contains(rejection.reason) {
            environment.log.error(
                "an endpoint refused with a code that its definition does not name",
                ["endpoint": .text(endpoint.name), "reason_code": .text(rejection.reason.rawValue)])
        }
        var fields: HTTPFields = [:]
        switch rejection.status.code {
        case 401: fields.append(.wwwAuthenticate, "Bearer realm=\"aos\"")
        case 429, 503, 507:
            fields.append(.retryAfter, String(rejection.details[Rejection.retryAfterMember]?.intValue ?? 1))
        default: break
        }
        return Answers.problem(Problem(rejection, requestID: trace.requestID), fields: fields)
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
        case let error as DatabaseError where error.kind == .unavailable:
            // What exactly is in the log and in /readyz; a lost connection can leave open what became of a command.
            environment.log.warning(
                "the database is away", ["request_id": .text(requestID), "error": .text("\(error)")])
            return Rejection(
                .storageUnavailable,
                "the database is away, and the command may or may not have been recorded; ask again, best with the same idempotency-key"
            )
        case let error as DatabaseError where error.kind == .conflict:
            return Rejection(.overloaded, "others were in the way each time it was tried; try again")
        // The disk of a server is not ours, and there reading may fail too.
        case let error as DatabaseError where error.kind == .full && environment.database.backend == .postgres:
            return Rejection(
                .storageUnavailable, "the disk of the database's server is full: nothing was written; try again")
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

    private func finished(_ response: HTTPResponse, _ trace: RequestTrace) -> HTTPResponse {
        trace.answered(response, environment)
        return trace.marking(response)
    }

    private func finished(_ reply: Reply, _ trace: RequestTrace) -> Reply {
        switch reply {
        case .now(let response): return .now(finished(response, trace))
        case .later(let deferred):
            // Deferred answers are marked by whoever completes them: see ProblemAnswers.
            deferred.traced(trace, environment)
            return reply
        case .stream(let head, let source, let length): return .stream(finished(head, trace), source, length: length)
        }
    }
}

extension DeferredReply {
    /// Meters and logs the answer when it is there.
    fileprivate func traced(_ trace: RequestTrace, _ environment: APIEnvironment) {
        onAnswer { reply in
            switch reply {
            case .now(let response), .stream(let response, _, _): trace.answered(response, environment)
            case .later: preconditionFailure("a deferred answer was deferred again")
            }
        }
    }
}

/// A sink whose answer is metered and logged.
private final class TracedSink: BodySink {
    private let sink: any BodySink
    private let trace: RequestTrace
    private let environment: APIEnvironment

    init(_ sink: any BodySink, _ trace: RequestTrace, _ environment: APIEnvironment) {
        (self.sink, self.trace, self.environment) = (sink, trace, environment)
    }

    func write(_ bytes: ArraySlice<UInt8>) -> HTTPResponse? {
        let refusal = sink.write(bytes)
        if let refusal { trace.answered(refusal, environment) }
        return refusal
    }

    func finish() -> Reply {
        let reply = sink.finish()
        switch reply {
        case .now(let response), .stream(let response, _, _): trace.answered(response, environment)
        case .later(let deferred): deferred.traced(trace, environment)
        }
        return reply
    }

    func abort() { sink.abort() }
}
