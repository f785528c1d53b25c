import Crypto
import DatabaseCore
import Domain
import EventStore
import HTTP
import HTTPServer
import JSON
import Platform
import Shared
import Synchronization

/// The owner of a workspace and its sessions (`contract/API_HARDENING.md` 7.2). Nothing here is kept for a replay: the
/// answers hold credentials.
struct AuthRoutes: Sendable {
    /// What the operator has set.
    struct Rules: Sendable {
        var lifetimes: SessionDecider.Lifetimes
        /// The HMAC of `AUTH_BOOTSTRAP_TOKEN`; nil where there is none.
        var bootstrapTokenHash: String?
        var allowsLoopbackBootstrap: Bool

        init(_ configuration: APIConfiguration, _ environment: APIEnvironment) {
            lifetimes = configuration.sessions
            bootstrapTokenHash = configuration.bootstrapToken.map { environment.hash(ofSecret: $0) }
            allowsLoopbackBootstrap = configuration.allowsLoopbackBootstrap
        }
    }

    private let environment: APIEnvironment
    private let commands: CommandBus
    private let authentication: Authentication
    private let passphrases: Passphrases
    private let rules: Rules
    private let throttle = Throttle()

    /// One for all requests.
    private final class Throttle: Sendable {
        let state = Mutex(LoginThrottle())
    }

    init(
        environment: APIEnvironment, commands: CommandBus, authentication: Authentication, passphrases: Passphrases,
        rules: Rules
    ) {
        (self.environment, self.commands, self.authentication) = (environment, commands, authentication)
        (self.passphrases, self.rules) = (passphrases, rules)
    }

    func mount(on routes: inout RouteTable) {
        routes.on(.bootstrapOwner, .anyone, bootstrap)
        routes.on(.login, .anyone, login)
        routes.on(.refreshSession, .anyone, refresh)
        routes.on(.logout, .anyone, logout)
        routes.get(.session, .anyone, session)
    }

    // MARK: Owner

    @Sendable private func bootstrap(_ body: BootstrapOwner, _ context: RequestContext) throws -> Reply {
        let context = try located(context, body.workspaceID)
        // The order of the refusals is on the wire.
        let isTaken = try environment.database.read { try OwnerTable.find(in: context.workspace, $0) != nil }
        if isTaken { throw ownerExists(context) }
        let proof = try self.proof(context)
        let passphrase = try SessionDecider.passphrase(body.passphrase)
        let name = Limits.trimmed(body.displayName) ?? "Local Owner"
        let deferred = DeferredReply()
        passphrases.hash(passphrase, context, deferred) { hash in
            commands.run(context, into: deferred, isReplayable: false) { work in
                guard try OwnerTable.find(in: context.workspace, work.transaction) == nil else {
                    throw ownerExists(context)
                }
                if case .token(let hash) = proof {
                    guard try !SpentBootstrapTokenTable.contains(hash, work.transaction) else { throw forbidden }
                    try SpentBootstrapTokenTable.add(hash, at: work.now, work.transaction)
                }
                let id: OwnerID = environment.newHexID()
                let owner = Owner(
                    ownerID: id, workspaceID: context.workspace,
                    principalID: Principal.id(of: Actor(.user, id.rawValue)), displayName: name)
                let creator = if case .operatorUser = proof { Actor.operatorUser } else { owner.actor }
                try OwnerTable.put(.init(owner, passphraseHash: hash, at: work.now), work.transaction)
                try work.record(
                    SessionDecider.createOwner(
                        owner, from: origin(context), by: creator, correlationID: context.correlationID))
                return try begin(owner, body.cookie, .created, context, work)
            }
        }
        return .later(deferred)
    }

    /// Why a caller may make the owner.
    private enum Proof: Sendable {
        case operatorUser
        /// By its HMAC; it is good once.
        case token(String)
        case loopback
    }

    private func proof(_ context: RequestContext) throws -> Proof {
        let request = context.request
        if let token = authentication.bearer(request), authentication.isOperator(token) { return .operatorUser }
        let sent = request.fields[.xBootstrapToken] ?? request.fields[.xAuthBootstrapToken]
        if let sent, let known = rules.bootstrapTokenHash {
            let key = LoginThrottle.Key(workspace: nil, peer: request.peer)
            try admit(key)
            // By their HMACs: neither the value nor the length of the right one shows in the time it takes.
            if ConstantTime.equal(environment.hash(ofSecret: sent), known) {
                throttle.state.withLock { $0.succeeded(key) }
                let isSpent = try environment.database.read { try SpentBootstrapTokenTable.contains(known, $0) }
                if !isSpent { return .token(known) }
            }
        }
        let isLoopback = request.peer.flatMap { SocketAddress(numeric: $0, port: 0) }?.isLoopback ?? false
        if rules.allowsLoopbackBootstrap, isLoopback { return .loopback }
        throw forbidden
    }

    private var forbidden: Rejection {
        Rejection(
            .bootstrapForbidden,
            "making an owner takes the operator's bearer token, or x-bootstrap-token with an AUTH_BOOTSTRAP_TOKEN that has made none yet"
        )
    }

    private func ownerExists(_ context: RequestContext) -> Rejection {
        Rejection(.ownerAlreadyExists, "workspace \(context.workspace) has an owner; log in instead")
    }

    // MARK: Sessions

    @Sendable private func login(_ body: LogIn, _ context: RequestContext) throws -> Reply {
        let context = try located(context, body.workspaceID)
        let passphrase = try SessionDecider.given(body.passphrase)
        let stored = try environment.database.read { try OwnerTable.find(in: context.workspace, $0) }
        let key = LoginThrottle.Key(
            workspace: stored == nil ? nil : context.workspace, peer: context.request.peer)
        try admit(key)
        let deferred = DeferredReply()
        let isQueued = passphrases.compare(passphrase, with: stored?.passphraseHash, context, deferred) { isMatch in
            guard let owner = stored?.owner else {
                throw Rejection(
                    .ownerNotFound,
                    "workspace \(context.workspace) has no owner; POST /v1/auth/bootstrap-owner makes one")
            }
            if isMatch { throttle.state.withLock { $0.succeeded(key) } }
            commands.run(context, into: deferred, isReplayable: false) { work in
                guard isMatch else { return try failed(owner, context, work) }
                try OwnerTable.loggedIn(owner.ownerID, at: work.now, work.transaction)
                return try begin(owner, body.cookie, .ok, context, work)
            }
        }
        if !isQueued { throttle.state.withLock { $0.withdrawn(key) } }
        return .later(deferred)
    }

    private func admit(_ key: LoginThrottle.Key) throws(Rejection) {
        let nowMs = environment.clock.monotonicMilliseconds()
        guard let wait = throttle.state.withLock({ $0.begin(key, nowMs: nowMs) }) else { return }
        let seconds = (wait + 999) / 1000
        throw Rejection(
            .loginThrottled, "too many failed logins; try again in \(seconds) s",
            details: [Rejection.retryAfterMember: .integer(seconds)])
    }

    /// A failed login is refused and recorded.
    private func failed(_ owner: Owner, _ context: RequestContext, _ work: Work) throws -> CommandBus.Outcome {
        try work.record(
            SessionDecider.loginFailed(owner, from: origin(context), correlationID: context.correlationID))
        return .init(
            response: commands.problems.word(Rejection(.invalidCredentials, "the passphrase is wrong"), context))
    }

    @Sendable private func refresh(_ body: RefreshSession, _ context: RequestContext) throws -> Reply {
        guard let text = Limits.trimmed(body.refreshToken) else {
            throw Rejection.field("refresh_token", .missingRefreshToken, "refresh_token is required")
        }
        guard let token = RefreshToken(text), let found = try stored(token) else { throw unknownRefreshToken }
        var context = context
        context.workspace = found.session.workspaceID
        return commands.run(context, isReplayable: false) { [context] work in
            // Again, in the transaction: of two that refresh at once, one is too late.
            guard let stored = try SessionTable.find(familyHash: found.refreshFamilyHash, work.transaction) else {
                throw unknownRefreshToken
            }
            let isCurrent = ConstantTime.equal(stored.refreshTokenHash, environment.hash(ofSecret: token.text))
            switch SessionDecider.refresh(
                stored.session, isCurrent: isCurrent, rules.lifetimes, from: origin(context), at: work.now,
                correlationID: context.correlationID)
            {
            case .over: throw unknownRefreshToken
            case .reused(let ended, let event):
                try put(ended, over: stored, work)
                try work.record(event)
                return .init(response: commands.problems.word(unknownRefreshToken, context))
            case .rotated(let session, let event):
                try work.record(event)
                let tokens = try renew(session, token.renewed(environment), work)
                return try answer(SessionAnswer(session: tokens), tokens, body.cookie, .ok, context)
            }
        }
    }

    @Sendable private func logout(_ body: LogOut, _ context: RequestContext) throws -> Reply {
        let bearer = authentication.bearer(context.request).flatMap {
            $0.hasPrefix(SessionTokens.accessPrefix) ? environment.hash(ofSecret: $0) : nil
        }
        let family = Limits.trimmed(body.refreshToken).flatMap { RefreshToken($0) }.map {
            environment.hash(ofSecret: $0.family)
        }
        let named = try environment.database.read { transaction in
            [
                try bearer.flatMap { try SessionTable.find(accessHash: $0, transaction) },
                try family.flatMap { try SessionTable.find(familyHash: $0, transaction) },
            ].compactMap(\.self)
        }
        var context = context
        if let workspace = named.first?.session.workspaceID { context.workspace = workspace }
        return commands.run(context, isReplayable: false) { [context] work in
            var ended: Set<SessionID> = []
            for name in named {
                guard let stored = try SessionTable.find(familyHash: name.refreshFamilyHash, work.transaction),
                    stored.session.revokedAt == nil, ended.insert(stored.session.sessionID).inserted
                else { continue }
                let (session, event) = SessionDecider.logOut(
                    stored.session, from: origin(context), at: work.now, correlationID: context.correlationID)
                try put(session, over: stored, work)
                try work.record(event)
            }
            var response = try Answers.json(LoggedOutAnswer(ok: true, revoked: !ended.isEmpty))
            if !Cookies.values(of: Authentication.cookieName, in: context.request.fields).isEmpty {
                response.fields.append(.setCookie, cookie("", maxAgeSeconds: 0, context))
            }
            return .init(response: response)
        }
    }

    @Sendable private func session(_ context: RequestContext) throws -> CurrentSessionAnswer {
        guard context.request.fields.contains(.authorization) else {
            throw Rejection(.missingBearerToken, "send Authorization: Bearer with the session's access token")
        }
        guard let token = authentication.bearer(context.request),
            case .owner(let owner, let session) = try authentication.session(accessToken: token)?.0
        else { throw Rejection(.invalidSession, "the session is not known, or over; log in again") }
        return CurrentSessionAnswer(owner: owner, session: CurrentSession(session))
    }

    // MARK: Helpers

    /// The request in the workspace that its body names.
    private func located(_ context: RequestContext, _ workspace: WorkspaceID?) throws(Rejection) -> RequestContext {
        var context = context
        context.workspace =
            try Limits.trimmed(workspace?.rawValue).map { text throws(Rejection) in
                try Authentication.workspace(text, "workspace_id")
            } ?? .development
        guard context.workspace != .system else {
            throw .field("workspace_id", .invalidWorkspaceID, "\(WorkspaceID.system) is the instance's own")
        }
        return context
    }

    private func origin(_ context: RequestContext) -> SessionDecider.Origin {
        let agent = context.request.fields[.userAgent]
        return .init(
            peer: context.request.peer,
            userAgent: agent.map { String(decoding: $0.utf8.prefix(AuthRules.userAgentBytesMax), as: UTF8.self) })
    }

    private var unknownRefreshToken: Rejection {
        Rejection(.invalidRefreshToken, "the refresh token is not known, or its session is over; log in again")
    }

    private func stored(_ token: RefreshToken) throws -> SessionTable.Stored? {
        let hash = environment.hash(ofSecret: token.family)
        return try environment.database.read { try SessionTable.find(familyHash: hash, $0) }
    }

    private func put(_ session: AuthSession, over stored: SessionTable.Stored, _ work: Work) throws {
        var stored = stored
        stored.session = session
        try SessionTable.put(stored, work.transaction)
    }

    /// Begins a session of the owner and answers with its tokens.
    private func begin(
        _ owner: Owner, _ wantsCookie: Bool?, _ status: HTTPStatus, _ context: RequestContext, _ work: Work
    ) throws -> CommandBus.Outcome {
        let live = try SessionTable.live(of: owner.ownerID, at: work.now, work.transaction)
        let issued = SessionDecider.issue(
            environment.newHexID(), to: owner, rules.lifetimes, live: live.map(\.session), from: origin(context),
            at: work.now, correlationID: context.correlationID)
        for ended in issued.ended {
            if let stored = live.first(where: { $0.session.sessionID == ended.sessionID }) {
                try put(ended, over: stored, work)
            }
        }
        try work.record(issued.events)
        let tokens = try renew(issued.session, RefreshToken(environment), work)
        return try answer(OwnerSessionAnswer(owner: owner, session: tokens), tokens, wantsCookie, status, context)
    }

    /// Gives the session new tokens; those before are dead with it.
    private func renew(_ session: AuthSession, _ refresh: RefreshToken, _ work: Work) throws -> SessionTokens {
        let access = environment.newSecret(prefix: SessionTokens.accessPrefix)
        try SessionTable.put(.init(session, access: access, refresh: refresh, environment), work.transaction)
        return SessionTokens(session, accessToken: access, refreshToken: refresh.text)
    }

    private func answer(
        _ answer: some Encodable, _ tokens: SessionTokens, _ wantsCookie: Bool?, _ status: HTTPStatus,
        _ context: RequestContext
    ) throws -> CommandBus.Outcome {
        var response = try Answers.json(answer, status)
        if wantsCookie == true {
            let seconds = rules.lifetimes.accessMilliseconds / 1000
            response.fields.append(.setCookie, cookie(tokens.accessToken, maxAgeSeconds: seconds, context))
        }
        return .init(response: response)
    }

    private func cookie(_ value: String, maxAgeSeconds: Int64, _ context: RequestContext) -> String {
        // Reached by another name than loopback's, there is a proxy in front, or ought to be, that speaks TLS.
        Cookies.credential(
            Authentication.cookieName, value, maxAgeSeconds: maxAgeSeconds,
            isSecure: !HostPolicy.isLoopback(context.request))
    }
}
