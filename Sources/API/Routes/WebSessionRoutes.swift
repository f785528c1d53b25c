import DatabaseCore
import Domain
import EventStore
import HTTP
import HTTPServer
import JSON
import Shared

/// Signing in to the web UI by a one-time link, and what it remembers for a person. Answers that hold a credential are not
/// kept for a replay.
struct WebSessionRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus
    let cookieName: String

    func mount(on routes: inout RouteTable) {
        routes.on(.createLoginLink, .operatorOnly, link)
        routes.on(.beginWebSession, .anyone, begin)
        routes.get(.webSession, .operatorOnly, show)
        routes.on(.endWebSession, .operatorOnly, changesNothing: true, end)
        routes.get(.webMarks, .operatorOnly, marks)
        routes.on(.moveWebMarks, .operatorOnly, changesNothing: true, move)
    }

    // MARK: Signing in and out

    @Sendable private func link(_ body: CreateLoginLink, _ context: RequestContext) throws -> Reply {
        let owner: OwnerID? = if case .owner(let owner, _) = context.caller { owner.ownerID } else { nil }
        let isReadOnly = body.readOnly == true || context.web?.session.isReadOnly == true
        return commands.perform(context, .created, isReplayable: false) { work in
            let code = environment.newSecret(prefix: WebIdentity.codePrefix)
            let link = LoginLinkTable.Link(
                codeHash: environment.hash(ofSecret: code), ownerID: owner, workspaceID: context.workspace,
                isReadOnly: isReadOnly, expiresAt: work.now.adding(milliseconds: WebSession.linkSeconds * 1000))
            try LoginLinkTable.put(link, work.transaction)
            return LoginLinkAnswer(url: "\(origin(context))/login#\(code)", expiresAt: link.expiresAt)
        }
    }

    /// How the caller reached us, which the host check has let through. By another name than loopback's there is a proxy in
    /// front, or ought to be, that speaks TLS.
    private func origin(_ context: RequestContext) -> String {
        let scheme = HostPolicy.isLoopback(context.request) ? "http" : "https"
        return "\(scheme)://\(context.request.fields[.host] ?? "")"
    }

    @Sendable private func begin(_ body: BeginWebSession, _ context: RequestContext) throws -> Reply {
        let code = Limits.trimmed(body.code) ?? ""
        return commands.run(context, isReplayable: false) { work in
            let hash = environment.hash(ofSecret: code)
            guard let link = try LoginLinkTable.open(hash, at: work.now, work.transaction) else {
                throw Rejection(
                    .invalidLoginLink, "the link was used before, or is too old; `aos ui` makes a new one")
            }
            let owner = try link.ownerID.flatMap { try OwnerTable.find($0, work.transaction)?.owner }
            guard owner != nil || link.ownerID == nil else {
                throw Rejection(.invalidLoginLink, "the link's owner is no more; `aos ui` makes a new one")
            }
            try LoginLinkTable.remove(hash, work.transaction)
            let secret = environment.newSecret(prefix: WebIdentity.secretPrefix)
            let agent = context.request.fields[.userAgent]
            let session = WebSession(
                sessionID: environment.newHexID(), ownerID: link.ownerID, workspaceID: link.workspaceID,
                isReadOnly: link.isReadOnly, at: work.now, peer: context.request.peer,
                userAgent: agent.map { String(decoding: $0.utf8.prefix(AuthRules.userAgentBytesMax), as: UTF8.self) })
            try WebSessionTable.put(
                .init(secretHash: environment.hash(ofSecret: secret), session: session), work.transaction)
            let actor = owner?.actor ?? .operatorUser
            try work.record(
                EventDraft(
                    .auth(.webSessionIssued(WebSessionIssued(session))),
                    in: EventScope(workspaceID: session.workspaceID, correlationID: context.correlationID), by: actor))
            let view = WebSessionView(
                actor: actor, displayName: owner?.displayName ?? Self.operatorName, workspaceID: session.workspaceID,
                isOperator: owner == nil, isReadOnly: session.isReadOnly,
                csrfToken: WebIdentity.csrfToken(of: secret, environment), expiresAt: session.expiresAt)
            var response = try Answers.json(WebSessionAnswer(session: view), .created)
            response.fields.append(.setCookie, cookie(secret, maxAgeSeconds: WebSession.lifeSeconds, context))
            return .init(response: response)
        }
    }

    private static let operatorName = "Operator"

    @Sendable private func show(_ context: RequestContext) -> WebSessionAnswer {
        let name = if case .owner(let owner, _) = context.caller { owner.displayName } else { Self.operatorName }
        return WebSessionAnswer(
            session: WebSessionView(
                actor: context.actor, displayName: name, workspaceID: context.workspace,
                isOperator: context.caller.isOperator, isReadOnly: context.web?.session.isReadOnly ?? false,
                csrfToken: context.web?.csrfToken, expiresAt: context.web?.session.expiresAt))
    }

    @Sendable private func end(_ body: Nothing, _ context: RequestContext) throws -> Reply {
        guard let web = context.web else {
            return .now(try Answers.json(LoggedOutAnswer(ok: true, revoked: false)))
        }
        return commands.run(context, isReplayable: false) { work in
            try WebSessionTable.remove(web.secretHash, work.transaction)
            let ended = WebSessionEnded(
                sessionID: web.session.sessionID, ownerID: web.session.ownerID, peer: context.request.peer)
            try work.record(
                EventDraft(
                    .auth(.webSessionEnded(ended)),
                    in: EventScope(workspaceID: web.session.workspaceID, correlationID: context.correlationID),
                    by: context.actor))
            var response = try Answers.json(LoggedOutAnswer(ok: true, revoked: true))
            response.fields.append(.setCookie, cookie("", maxAgeSeconds: 0, context))
            return .init(response: response)
        }
    }

    private func cookie(_ value: String, maxAgeSeconds: Int64, _ context: RequestContext) -> String {
        Cookies.credential(
            cookieName, value, maxAgeSeconds: maxAgeSeconds, isSecure: !HostPolicy.isLoopback(context.request))
    }

    // MARK: Marks

    @Sendable private func marks(_ context: RequestContext) throws -> WebMarks {
        try environment.database.read { try Self.marks(context, $0) }
    }

    private static func marks(_ context: RequestContext, _ transaction: any ReadTransaction) throws -> WebMarks {
        let found = try WebMarkTable.all(of: Principal.id(of: context.actor), in: context.workspace, transaction)
        return WebMarks(marks: Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.seq) }))
    }

    @Sendable private func move(_ body: WebMarks, _ context: RequestContext) throws -> Reply {
        for (name, seq) in body.marks {
            try Limits.check(name, "marks", bytesMax: Limits.nameBytesMax)
            guard seq >= 0, Limits.trimmed(name) == name else {
                throw Rejection.field("marks", .invalidField, "marks: expected names, each with a number from 0 on")
            }
        }
        return commands.perform(context, isReplayable: false) { work in
            let principal = Principal.id(of: context.actor)
            var marks = try Self.marks(context, work.transaction).marks
            for (name, seq) in body.marks where seq > marks[name] ?? -1 {
                marks[name] = seq
                try WebMarkTable.put(
                    .init(workspaceID: context.workspace, principalID: principal, name: name, seq: seq),
                    work.transaction)
            }
            guard marks.count <= WebMarks.countMax else {
                throw Rejection.field(
                    "marks", .invalidField, "marks: expected at most \(WebMarks.countMax) names, found \(marks.count)")
            }
            return WebMarks(marks: marks)
        }
    }
}
