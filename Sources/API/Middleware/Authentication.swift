import Crypto
import DatabaseCore
import HTTP
import JSON
import Shared

/// Tells who is calling, from what the request carries.
struct Authentication: Sendable {
    let environment: APIEnvironment
    let operatorToken: String
    let isHeaderMode: Bool
    /// What a scraper of the metrics may show instead of the operator's token.
    let metricsToken: String?

    /// - Throws: 401 when the credential is missing or dead, 403 when it does not reach this far.
    func caller(
        _ request: HTTPRequest, _ bodyCredentials: (engineID: EngineID, token: String)? = nil
    ) throws -> (Caller, WorkspaceID) {
        let fields = request.fields
        if let engineID = nonBlank(fields[.xEngineID]), let token = nonBlank(fields[.xEngineToken]) {
            return try engine(EngineID(engineID), token, request)
        }
        if let credentials = bodyCredentials {
            return try engine(credentials.engineID, credentials.token, request)
        }
        let workspace = try self.workspace(request)
        if fields.contains(.authorization) {
            guard let token = Self.bearer(request), ConstantTime.equal(token, operatorToken) else {
                throw Rejection(.invalidSession, "the bearer token is not known; the operator's is in operator.token")
            }
            return (.operatorUser, workspace)
        }
        if isHeaderMode { return (.header, workspace) }
        throw Rejection(
            .missingBearerToken, "send Authorization: Bearer with the token in operator.token of the data directory")
    }

    /// - Throws: When the request carries neither the scraper's token nor the operator's.
    func requireScraper(_ request: HTTPRequest) throws {
        if let metricsToken, let token = Self.bearer(request), ConstantTime.equal(token, metricsToken) { return }
        try Access.operatorOnly.check(caller(request).0)
    }

    private static func bearer(_ request: HTTPRequest) -> String? {
        let parts = (request.fields[.authorization] ?? "").split(separator: " ", maxSplits: 1)
        return parts.count == 2 && parts[0].lowercased() == "bearer" ? String(parts[1]) : nil
    }

    private func workspace(_ request: HTTPRequest) throws(Rejection) -> WorkspaceID {
        guard let text = nonBlank(request.fields[.xWorkspaceID]) else { return .development }
        guard text.utf8.count <= 100, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .field(
                "x-workspace-id", .invalidWorkspaceID,
                "x-workspace-id: expected at most 100 visible ASCII characters without blanks")
        }
        return WorkspaceID(text)
    }

    /// The order of the checks is on the wire (`contract/API_CORE.md` 9.3).
    private func engine(_ id: EngineID, _ secret: String, _ request: HTTPRequest) throws -> (Caller, WorkspaceID) {
        let hash = environment.hash(ofSecret: secret)
        let found = try environment.database.read { transaction -> (EngineRecord, EngineToken)? in
            guard let token = try EngineTokenTable.find(hash: hash, transaction), token.engineID == id,
                let engine = try EngineTable.find(id, transaction)
            else { return nil }
            return (engine, token)
        }
        guard let (engine, token) = found,
            nonBlank(request.fields[.xWorkspaceID]).map({ $0 == token.workspaceID.rawValue }) ?? true
        else { throw Rejection(.engineTokenInvalid, "no engine has this id and token") }
        guard engine.status == .active else { throw Rejection(.engineInactive, "the engine has been deactivated") }
        guard token.revokedAt == nil, token.validUntil.map({ $0 > environment.now }) ?? true else {
            throw Rejection(.engineTokenExpired, "the engine's token has been revoked or has expired")
        }
        return (.engine(engine, token), token.workspaceID)
    }

    private func nonBlank(_ text: String?) -> String? {
        guard let text, !text.utf8.allSatisfy({ $0 == 0x20 }) else { return nil }
        return text
    }
}

/// Who may use a route.
enum Access: Sendable {
    /// Needs no credential.
    case anyone
    /// People only: an engine's or agent's token never decides, changes policy or lifts a halt.
    case operatorOnly
    /// The operator, or an engine whose token allows the action.
    case engine(action: String)
    /// Whoever reads the metrics: `isOpen` on a loopback listener without `METRICS_TOKEN`, else the operator or that token.
    case scraper(isOpen: Bool)
    /// An engine that may name itself in the body instead of in headers, so the handler asks for its credential.
    case engineByBody(action: String, orOperator: Bool)

    var words: String {
        switch self {
        case .anyone: "anyone"
        case .operatorOnly: "operator"
        case .scraper: "anyone on a loopback listener, else the operator or `METRICS_TOKEN`"
        case .engine(let action): "operator, engine with `\(action)`"
        case .engineByBody(let action, let orOperator): "\(orOperator ? "operator, " : "")engine with `\(action)`"
        }
    }

    var takesOperator: Bool {
        switch self {
        case .anyone, .scraper(isOpen: true), .engineByBody(_, orOperator: false): false
        case .operatorOnly, .scraper, .engine, .engineByBody(_, orOperator: true): true
        }
    }

    var takesEngine: Bool {
        switch self {
        case .anyone, .operatorOnly, .scraper: false
        case .engine, .engineByBody: true
        }
    }

    /// What a caller who may not is told.
    var refusals: [ReasonCode] {
        let credentials: [ReasonCode] = [
            .missingBearerToken, .invalidSession, .engineTokenInvalid, .engineTokenExpired, .engineInactive,
            .invalidWorkspaceID,
        ]
        return switch self {
        case .anyone, .scraper(isOpen: true): []
        case .operatorOnly, .scraper: credentials + [.operatorRequired]
        case .engine: credentials + [.engineActionNotAllowed]
        case .engineByBody: credentials + [.engineActionNotAllowed, .missingEngineToken]
        }
    }

    func check(_ caller: Caller) throws(Rejection) {
        switch (self, caller) {
        case (.anyone, _), (_, .operatorUser), (_, .header): return
        case (.operatorOnly, .engine), (.scraper, .engine):
            throw Rejection(.operatorRequired, "an engine's token cannot do this; it takes the operator")
        case (.engine(let action), .engine(_, let token)), (.engineByBody(let action, _), .engine(_, let token)):
            guard token.scopes.actionTypes.contains(action) else {
                throw Rejection(
                    .engineActionNotAllowed, "the engine's token does not allow \(action)",
                    details: ["action": .string(action)])
            }
        }
    }
}
