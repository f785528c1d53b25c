import Crypto
import DatabaseCore
import Domain
import HTTP
import JSON
import Shared

/// Tells who is calling, from what the request carries.
struct Authentication: Sendable {
    /// The cookie that carries an access token where a page cannot send a field: following a room.
    static let cookieName = "agentapp_access_token"

    let environment: APIEnvironment
    let operatorToken: String
    let isHeaderMode: Bool
    /// What a scraper of the metrics may show instead of the operator's token.
    let metricsToken: String?
    /// The cookie of the web UI's sessions; see ``WebIdentity``.
    let webCookieName: String

    /// - Parameter acceptsCookie: Whether the route takes the session's cookie for a bearer token.
    /// - Throws: 401 when the credential is missing or dead, 403 when it does not reach this far.
    func caller(
        _ request: HTTPRequest, _ bodyCredentials: (engineID: EngineID, token: String)? = nil,
        acceptsCookie: Bool = false
    ) throws -> (Caller, WorkspaceID) {
        let fields = request.fields
        if let engineID = nonBlank(fields[.xEngineID]), let token = nonBlank(fields[.xEngineToken]) {
            return try engine(EngineID(engineID), token, request)
        }
        if let credentials = bodyCredentials {
            return try engine(credentials.engineID, credentials.token, request)
        }
        if fields.contains(.authorization) {
            let token = bearer(request)
            // The session's workspace replaces the header's, whatever stands there.
            if let token, let session = try session(accessToken: token) { return session }
            guard let token, isOperator(token) else {
                throw Rejection(
                    .invalidSession,
                    "the bearer token is not known, or its session is over; the operator's is in operator.token")
            }
            return (.operatorUser, try workspace(request))
        }
        if let token = try cookie(request, isAccepted: acceptsCookie) {
            guard let session = try session(accessToken: token) else {
                throw Rejection(.invalidSession, "the session of the cookie is over; log in again")
            }
            return session
        }
        if isHeaderMode { return (.header, try workspace(request)) }
        throw Rejection(
            .missingBearerToken,
            "send Authorization: Bearer with a session's access token or the token in operator.token of the data directory"
        )
    }

    /// The bearer token as it came; nil without one, or with another scheme.
    func bearer(_ request: HTTPRequest) -> String? {
        guard let parts = request.fields[.authorization]?.split(separator: " ", maxSplits: 1), parts.count == 2,
            parts[0].lowercased() == "bearer"
        else { return nil }
        return String(parts[1])
    }

    func isOperator(_ token: String) -> Bool { ConstantTime.equal(token, operatorToken) }

    /// The owner whose access token this is, while the session lives; its workspace is the session's.
    func session(accessToken: String) throws -> (Caller, WorkspaceID)? {
        guard accessToken.hasPrefix(SessionTokens.accessPrefix) else { return nil }
        let hash = environment.hash(ofSecret: accessToken)
        let now = environment.now
        let found = try environment.database.read { transaction -> (Owner, AuthSession)? in
            guard let session = try SessionTable.find(accessHash: hash, transaction)?.session,
                session.revokedAt == nil, session.accessExpiresAt > now,
                let owner = try OwnerTable.find(session.ownerID, transaction)?.owner
            else { return nil }
            return (owner, session)
        }
        guard let (owner, session) = found else { return nil }
        if now.milliseconds - session.lastSeenAt.milliseconds >= AuthRules.seenEveryMilliseconds {
            // Nobody waits for it, and a use that is not noted is no loss.
            environment.database.write {
                try SessionTable.seen(session.sessionID, at: now, $0)
            } then: { (_: Result<Void, any Error>) in
            }
        }
        return (.owner(owner, session), session.workspaceID)
    }

    /// The access token in the cookie. A browser sends it along whoever asks, so it counts where nothing is changed and
    /// only when the asking page is not another site's.
    private func cookie(_ request: HTTPRequest, isAccepted: Bool) throws(Rejection) -> String? {
        let values = Cookies.values(of: Self.cookieName, in: request.fields)
        guard let value = values.first else { return nil }
        guard isAccepted else {
            // In the header mode nobody needs it, and it may be a left-over.
            if isHeaderMode { return nil }
            throw Rejection(
                .cookieNotAccepted,
                "the cookie is good for following a room only; send Authorization: Bearer here")
        }
        guard values.count == 1 else {
            throw .field(
                Self.cookieName, .ambiguousParameter, "\(Self.cookieName): expected one such cookie, found several")
        }
        guard request.fields[.secFetchSite]?.lowercased() != "cross-site" else {
            throw Rejection(.cookieNotAccepted, "a page of another site cannot use the cookie")
        }
        return value
    }

    /// - Throws: When the request carries neither the scraper's token nor the operator's.
    func requireScraper(_ request: HTTPRequest) throws {
        if let metricsToken, let token = bearer(request), ConstantTime.equal(token, metricsToken) { return }
        try Access.machineOperator.check(caller(request).0)
    }

    func workspace(_ request: HTTPRequest) throws(Rejection) -> WorkspaceID {
        guard let text = nonBlank(request.fields[.xWorkspaceID]) else { return .development }
        return try Self.workspace(text, "x-workspace-id")
    }

    /// - Parameter name: Where it stands, for the refusal.
    static func workspace(_ text: String, _ name: String) throws(Rejection) -> WorkspaceID {
        guard text.utf8.count <= 100, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .field(
                name, .invalidWorkspaceID,
                "\(name): expected at most 100 visible ASCII characters without blanks")
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

/// Who may use a route. What each kind of caller may do:
///
/// | | operator token, header mode | owner's session | engine's token |
/// |---|---|---|---|
/// | `anyone` | yes | yes | yes |
/// | `operatorOnly`: rooms, runs, decisions, events, engines, one stream's verification | any workspace | its own | – |
/// | `machineOperator`: set the kill switch, verify the whole log, check projections | yes | – | – |
/// | `engine`, `engineByBody`: held runs, their steps and calls; approvals to ask for; reading them | any workspace | its own | with the action |
/// | parameter `include_system` of events, `ws_system`'s events and stream | yes | – | – |
/// | the calls of other workspaces in `GET /v1/kill-switch` | yes | – | – |
enum Access: Sendable {
    /// Needs no credential, or the handler asks for its own.
    case anyone
    /// People only: an engine's or agent's token never decides, changes policy or lifts a halt. An owner may what the
    /// operator may, within its own workspace.
    case operatorOnly
    /// What concerns the whole machine, beyond any workspace.
    case machineOperator
    /// People, or an engine whose token allows the action.
    case engine(action: String)
    /// An engine for itself: nobody else has anything to do there.
    case engineOnly(action: String)
    /// Whoever reads the metrics: `isOpen` on a loopback listener without `METRICS_TOKEN`, else the operator or that token.
    case scraper(isOpen: Bool)
    /// An engine that may name itself in the body instead of in headers, so the handler asks for its credential.
    case engineByBody(action: String, orOperator: Bool)

    var words: String {
        switch self {
        case .anyone: "anyone"
        case .operatorOnly: "operator, owner"
        case .machineOperator: "operator"
        case .scraper: "anyone on a loopback listener, else the operator or `METRICS_TOKEN`"
        case .engine(let action): "operator, owner, engine with `\(action)`"
        case .engineOnly(let action): "engine with `\(action)`"
        case .engineByBody(let action, let orOperator):
            "\(orOperator ? "operator, owner, " : "")engine with `\(action)`"
        }
    }

    var takesOperator: Bool {
        switch self {
        case .anyone, .scraper(isOpen: true), .engineOnly, .engineByBody(_, orOperator: false): false
        case .operatorOnly, .machineOperator, .scraper, .engine, .engineByBody(_, orOperator: true): true
        }
    }

    var takesEngine: Bool {
        switch self {
        case .anyone, .operatorOnly, .machineOperator, .scraper: false
        case .engine, .engineOnly, .engineByBody: true
        }
    }

    /// What a caller who may not is told.
    var refusals: [ReasonCode] {
        let credentials: [ReasonCode] = [
            .missingBearerToken, .invalidSession, .cookieNotAccepted, .engineTokenInvalid, .engineTokenExpired,
            .engineInactive, .invalidWorkspaceID, .csrfTokenRequired, .readOnlySession,
        ]
        let rooms: [ReasonCode] = [.engineActionNotAllowed, .engineRoomNotAllowed, .engineRoomScopeRequired]
        return switch self {
        case .anyone, .scraper(isOpen: true): []
        case .operatorOnly, .machineOperator, .scraper: credentials + [.operatorRequired]
        case .engine: credentials + rooms
        case .engineOnly, .engineByBody: credentials + rooms + [.missingEngineToken]
        }
    }

    func check(_ caller: Caller) throws(Rejection) {
        switch (self, caller) {
        case (.engineOnly, .operatorUser), (.engineOnly, .owner), (.engineOnly, .header):
            throw Rejection(.missingEngineToken, "this is for an engine: send its x-engine-id and x-engine-token")
        case (.anyone, _), (_, .operatorUser), (_, .header): return
        case (.operatorOnly, .owner), (.engine, .owner), (.engineByBody, .owner): return
        case (.machineOperator, .owner), (.scraper, .owner):
            throw Rejection(.operatorRequired, "this concerns the whole machine; it takes the operator's token")
        case (.operatorOnly, .engine), (.machineOperator, .engine), (.scraper, .engine):
            throw Rejection(.operatorRequired, "an engine's token cannot do this; it takes the operator")
        case (.engine(let action), .engine(_, let token)), (.engineOnly(let action), .engine(_, let token)),
            (.engineByBody(let action, _), .engine(_, let token)):
            guard token.scopes.actionTypes.contains(action) else {
                throw Rejection(
                    .engineActionNotAllowed, "the engine's token does not allow \(action)",
                    details: ["action": .string(action)])
            }
        }
    }
}
