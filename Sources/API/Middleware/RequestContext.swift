import Domain
import EventStore
import HTTP
import JSON
import Shared

/// Who sent a request, by the credential it came with.
enum Caller: Sendable {
    /// The person at this machine, by the operator token.
    case operatorUser
    /// A workspace's owner, by a session.
    case owner(Owner, AuthSession)
    case engine(EngineRecord, EngineToken)
    /// The header mode: the caller is whoever it says it is.
    case header

    /// Whether the machine is theirs, and not only one workspace.
    var isOperator: Bool {
        switch self {
        case .operatorUser, .header: true
        case .owner, .engine: false
        }
    }

    /// Whether people stand behind it.
    var isPerson: Bool {
        switch self {
        case .operatorUser, .owner, .header: true
        case .engine: false
        }
    }
}

/// A request as a handler sees it: who, where, when, and what it is about.
struct RequestContext: Sendable {
    var trace: RequestTrace
    var caller: Caller
    var now: Timestamp
    var endpoint: EndpointDescription
    var parameters: [String: String]
    var request: HTTPRequest
    /// The web UI's session, where its cookie is the credential.
    var web: WebIdentity?
    /// The body, once it has been read as JSON.
    var json: JSONValue?

    var requestID: String { trace.requestID }
    var correlationID: String { trace.correlationID }

    var workspace: WorkspaceID {
        get { trace.workspace ?? .development }
        set { trace.workspace = newValue }
    }

    var actor: Actor {
        switch caller {
        case .operatorUser: .operatorUser
        case .owner(let owner, _): owner.actor
        case .engine(let engine, _): Actor(.service, engine.actorID)
        case .header: Actor(.user, "legacy_header")
        }
    }

    /// A path parameter. One that is missing is a defect of the route table.
    func id<Kind>(_ name: String, as type: Identifier<Kind>.Type = Identifier<Kind>.self) -> Identifier<Kind> {
        guard let value = parameters[name] else { preconditionFailure("the route has no {\(name)}") }
        return Identifier(value)
    }

    /// Who a body says acts. Only the header mode believes it; elsewhere it must be true (`contract/README.md` 6).
    /// - Parameter role: What the body calls the actor: its members are `<role>_type` and `<role>_id`.
    func actor(
        type: String?, id: String?, principal: String? = nil, defaultID: String = "anon", role: String = "actor"
    ) throws(Rejection) -> Actor {
        if case .header = caller {
            let type = type.flatMap { ActorType(rawValue: $0) } ?? .user
            return Actor(type, Limits.trimmed(id) ?? (type == .service ? "api" : defaultID))
        }
        let actor = self.actor
        if let type, type != actor.actorType.rawValue { throw mismatch("\(role)_type", type) }
        if let id = Limits.trimmed(id), id != actor.actorID { throw mismatch("\(role)_id", id) }
        if let principal, principal != Principal.id(of: actor) { throw mismatch("principal_id", principal) }
        return actor
    }

    private func mismatch(_ field: String, _ claimed: String) -> Rejection {
        .field(
            field, .actorClaimMismatch,
            "\(field): the credential is that of \(actor), the request says \(claimed.prefix(100))")
    }

    // MARK: Query

    /// The trimmed value, nil for none or a blank one. What a handler reads here stands in the endpoint's definition.
    func query(_ name: String) -> String? {
        assert(
            endpoint.query.contains { $0.name == name }, "\(endpoint.name) does not declare its parameter \(name)")
        return Limits.trimmed(request.target.queryValue(name))
    }

    /// A whole number, clamped to what the list allows.
    func limit(default standard: Int, max most: Int) throws(Rejection) -> Int {
        guard let text = query("limit") else { return standard }
        guard let value = Int(text), String(value) == text else {
            throw .field(
                "limit", .invalidLimit, "limit: expected a whole number from 1 to \(most), found '\(text.prefix(40))'")
        }
        return min(max(value, 1), most)
    }

    /// A sequence number from 0 on.
    func sequence(_ name: String) throws(Rejection) -> Int64? {
        guard let text = query(name) else { return nil }
        return try Self.sequence(text, name)
    }

    static func sequence(_ text: String, _ name: String) throws(Rejection) -> Int64 {
        guard let value = Int64(text), (0...QueryParameter.integerMax).contains(value), String(value) == text else {
            throw .field(name, .invalidCursor, "\(name): expected a whole number from 0 on, found '\(text.prefix(40))'")
        }
        return value
    }
}
