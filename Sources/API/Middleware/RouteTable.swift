import HTTP
import HTTPServer
import JSON
import Shared

/// What serves an endpoint: who may, how the body is taken, and the handler.
struct Route: Sendable {
    var endpoint: EndpointDescription
    var access: Access
    var body: BodyKind
    /// Whether the session's cookie is as good as a bearer token here.
    var acceptsCookie = false
    /// Whether it only reads, or touches nothing but the caller's own session, whatever its method.
    var changesNothing = false
    var meter: RequestMeter
    var handler: @Sendable (RequestContext) throws -> Reply

    enum BodyKind: Sendable {
        case none
        case json
        /// The handler makes a sink for the bytes.
        case stream(@Sendable (RequestContext) throws -> BodyPlan)
    }
}

/// The api's routes. Handlers are typed by their endpoints: bodies are decoded, answers encoded, refusals thrown.
struct RouteTable: Sendable {
    private(set) var router = Router<Route>()
    private(set) var endpoints: [EndpointDescription] = []
    let meters: RequestMeters

    init(meters: RequestMeters = RequestMeters()) { self.meters = meters }

    /// An endpoint with a body.
    mutating func on<Body: Codable & Sendable & SendableMetatype, Answer>(
        _ endpoint: Endpoint<Body, Answer>, _ access: Access, changesNothing: Bool = false,
        _ handler: @escaping @Sendable (Body, RequestContext) throws -> Reply
    ) {
        // An example that cannot be written would be a defect of the endpoint's definition.
        let example = try! endpoint.example.map { try JSON.parse(JSON.encode($0)) }
        add(endpoint, access, .json, example: example, bodyKind: .json, changesNothing: changesNothing) { context in
            try handler(try Self.body(Body.self, context), context)
        }
    }

    /// An endpoint that reads. Its answer has a validator, and a list's a link to the next page.
    mutating func get<Answer: Encodable & SendableMetatype>(
        _ endpoint: Endpoint<Nothing, Answer>, _ access: Access,
        _ handler: @escaping @Sendable (RequestContext) throws -> Answer
    ) {
        add(endpoint, access, .none) { context in
            .now(try Answers.document(handler(context), for: context.request))
        }
    }

    /// An endpoint whose answer is not one JSON document, or comes later.
    mutating func raw<Answer>(
        _ endpoint: Endpoint<Nothing, Answer>, _ access: Access, acceptsCookie: Bool = false,
        changesNothing: Bool = false,
        _ handler: @escaping @Sendable (RequestContext) throws -> Reply
    ) {
        add(endpoint, access, .none, acceptsCookie: acceptsCookie, changesNothing: changesNothing, handler)
    }

    /// An endpoint that takes a streamed body.
    mutating func stream<Answer>(
        _ endpoint: Endpoint<Nothing, Answer>, _ access: Access,
        _ plan: @escaping @Sendable (RequestContext) throws -> BodyPlan
    ) {
        add(endpoint, access, .stream(plan), bodyKind: .bytes) { _ in
            preconditionFailure("a streamed body is answered by its sink")
        }
    }

    /// A page or a file of the web UI: no part of the interface, so no description lists it, and all share one meter.
    mutating func page(_ path: String, _ handler: @escaping @Sendable (RequestContext) throws -> Reply) {
        let endpoint = Endpoint<Nothing, Nothing>(.get, path, "", refuses: [.routeNotFound], name: "webPage")
        router.add(
            .get, path,
            Route(
                endpoint: EndpointDescription(
                    endpoint, .none, example: nil, access: Access.anyone.words, takesOperator: false,
                    takesEngine: false, accessRefusals: []), access: .anyone, body: .none, meter: meters.pages,
                handler: handler))
    }

    private mutating func add<Body, Answer>(
        _ endpoint: Endpoint<Body, Answer>, _ access: Access, _ body: Route.BodyKind, example: JSONValue? = nil,
        bodyKind: EndpointDescription.BodyKind = .none, acceptsCookie: Bool = false,
        changesNothing: Bool = false, _ handler: @escaping @Sendable (RequestContext) throws -> Reply
    ) {
        let description = EndpointDescription(
            endpoint, bodyKind, example: example, access: access.words, takesOperator: access.takesOperator,
            takesEngine: access.takesEngine, accessRefusals: access.refusals)
        endpoints.append(description)
        let meter = meters.add(method: endpoint.method.rawValue, route: endpoint.path)
        let route = Route(
            endpoint: description, access: access, body: body, acceptsCookie: acceptsCookie,
            changesNothing: changesNothing, meter: meter, handler: handler)
        router.add(endpoint.method, endpoint.path, route)
    }

    private static func body<Body: Decodable>(_ type: Body.Type, _ context: RequestContext) throws -> Body {
        guard let value = context.json else { preconditionFailure("the pipeline reads JSON bodies") }
        return try FieldRule.read(type, value)
    }

    /// The body as an object. An empty body is an empty object: many commands need nothing said.
    static func json(_ request: HTTPRequest) throws -> JSONValue {
        if request.body.isEmpty { return [:] }
        if let mediaType = request.fields[.contentType] {
            let essence = mediaType.prefix { $0 != ";" }.filter { $0 != " " }.lowercased()
            guard essence == "application/json" else {
                throw Rejection(
                    .unsupportedMediaType, "expected content-type application/json, found \(essence.prefix(100))")
            }
        } else {
            throw Rejection(.unsupportedMediaType, "expected content-type application/json, found none")
        }
        let value = try JSON.parse(request.body)
        guard value.objectValue != nil else {
            throw Rejection(.invalidBody, "expected a JSON object as the body, found \(value.kindName)")
        }
        return value
    }
}

/// How answers are written.
enum Answers {
    /// Of commands: what they answer is said once.
    static let jsonFields: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]

    /// Members that are nil are written as null: a client finds every member it knows.
    static func json(_ answer: some Encodable, _ status: HTTPStatus = .ok) throws -> HTTPResponse {
        HTTPResponse(status, fields: jsonFields, body: try JSON.encode(answer, nulls: .write))
    }

    static func problem(_ problem: Problem, fields: HTTPFields = [:]) -> HTTPResponse {
        var fields = fields
        fields.append(.contentType, Problem.mediaType)
        fields.append(.cacheControl, "no-store")
        let body = (try? JSON.encode(problem)) ?? []
        return HTTPResponse(HTTPStatus(code: problem.status), fields: fields, body: body)
    }
}
