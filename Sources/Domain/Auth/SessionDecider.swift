package import Shared

/// Decides who becomes owner and what happens to sessions. Hashes and secrets stay outside: what they say comes as facts.
package enum SessionDecider {
    /// How long a session's tokens live.
    package struct Lifetimes: Hashable, Sendable {
        package var accessMilliseconds: Int64
        package var refreshMilliseconds: Int64

        package init(accessMilliseconds: Int64, refreshMilliseconds: Int64) {
            (self.accessMilliseconds, self.refreshMilliseconds) = (accessMilliseconds, refreshMilliseconds)
        }
    }

    /// Where a request came from, for the record.
    package struct Origin: Hashable, Sendable {
        package var peer: String?
        package var userAgent: String?

        package init(peer: String? = nil, userAgent: String? = nil) { (self.peer, self.userAgent) = (peer, userAgent) }
    }

    // MARK: Owner

    /// The passphrase a new owner may have.
    package static func passphrase(_ text: String?) throws(Rejection) -> String {
        let text = try given(text)
        guard text.count >= AuthRules.passphraseCharactersMin else {
            throw .field(
                "passphrase", .weakPassphrase,
                "passphrase: expected at least \(AuthRules.passphraseCharactersMin) characters; several words are good")
        }
        return text
    }

    /// The passphrase somebody logs in with.
    package static func given(_ text: String?) throws(Rejection) -> String {
        guard let text, !text.isEmpty else { throw .field("passphrase", .missingPassphrase, "passphrase is required") }
        try Limits.check(text, "passphrase", bytesMax: AuthRules.passphraseBytesMax)
        return text
    }

    package static func createOwner(
        _ owner: Owner, from origin: Origin, by actor: Actor, correlationID: String
    ) -> EventDraft {
        let event = OwnerCreated(
            ownerID: owner.ownerID, principalID: owner.principalID, displayName: owner.displayName, peer: origin.peer)
        return draft(.ownerCreated(event), owner.workspaceID, by: actor, correlationID)
    }

    // MARK: Sessions

    /// A new session, and the oldest ones that make room for it.
    /// - Parameter live: The owner's sessions that are neither over nor revoked.
    package static func issue(
        _ id: SessionID, to owner: Owner, _ lifetimes: Lifetimes, live: [AuthSession], from origin: Origin,
        at now: Timestamp, correlationID: String
    ) -> (session: AuthSession, ended: [AuthSession], events: [EventDraft]) {
        var session = AuthSession(
            sessionID: id, of: owner, accessExpiresAt: now, refreshExpiresAt: now, at: now,
            userAgent: origin.userAgent, createdIP: origin.peer)
        extend(&session, lifetimes, at: now)
        let surplus = live.sorted { ($0.lastSeenAt, $0.sessionID) < ($1.lastSeenAt, $1.sessionID) }
            .prefix(max(0, live.count + 1 - AuthRules.sessionsMax))
        let ended = surplus.map { revoked($0, .sessionLimit, at: now) }
        let issued = SessionIssued(sessionID: id, ownerID: owner.ownerID, peer: origin.peer)
        let events =
            ended.map { revocation($0, from: origin, by: .api, correlationID) }
            + [draft(.sessionIssued(issued), owner.workspaceID, by: owner.actor, correlationID)]
        return (session, ended, events)
    }

    /// What a refresh token that names this session comes to.
    package enum Refresh: Sendable {
        /// Both tokens are to be replaced.
        case rotated(AuthSession, EventDraft)
        /// The token was replaced before: whoever holds it should not, so nobody goes on with this session.
        case reused(AuthSession, EventDraft)
        /// The session is over.
        case over
    }

    /// - Parameter isCurrent: Whether the token is the session's latest, and not one from before.
    package static func refresh(
        _ session: AuthSession, isCurrent: Bool, _ lifetimes: Lifetimes, from origin: Origin, at now: Timestamp,
        correlationID: String
    ) -> Refresh {
        guard session.revokedAt == nil, session.refreshExpiresAt > now else { return .over }
        guard isCurrent else {
            let ended = revoked(session, .refreshTokenReused, at: now)
            return .reused(ended, revocation(ended, from: origin, by: .api, correlationID))
        }
        var session = session
        extend(&session, lifetimes, at: now)
        session.lastSeenAt = now
        let event = SessionRefreshed(sessionID: session.sessionID, ownerID: session.ownerID, peer: origin.peer)
        return .rotated(
            session, draft(.sessionRefreshed(event), session.workspaceID, by: actor(of: session), correlationID))
    }

    /// The end that its owner asks for.
    package static func logOut(
        _ session: AuthSession, from origin: Origin, at now: Timestamp, correlationID: String
    ) -> (AuthSession, EventDraft) {
        let ended = revoked(session, .logout, at: now)
        return (ended, revocation(ended, from: origin, by: actor(of: session), correlationID))
    }

    package static func loginFailed(_ owner: Owner, from origin: Origin, correlationID: String) -> EventDraft {
        let event = LoginFailed(ownerID: owner.ownerID, peer: origin.peer)
        // Nobody knows who it was.
        return draft(.loginFailed(event), owner.workspaceID, by: .api, correlationID)
    }

    // MARK: Helpers

    /// Why a session ended; on the wire in `auth.session.revoked`.
    private enum EndReason: String {
        case logout
        case refreshTokenReused = "refresh_token_reused"
        case sessionLimit = "session_limit"
    }

    private static func extend(_ session: inout AuthSession, _ lifetimes: Lifetimes, at now: Timestamp) {
        session.refreshExpiresAt = now.adding(milliseconds: lifetimes.refreshMilliseconds)
        session.accessExpiresAt = min(
            now.adding(milliseconds: lifetimes.accessMilliseconds), session.refreshExpiresAt)
    }

    private static func revoked(_ session: AuthSession, _ reason: EndReason, at now: Timestamp) -> AuthSession {
        var session = session
        (session.revokedAt, session.revokedReason) = (now, reason.rawValue)
        return session
    }

    private static func revocation(
        _ session: AuthSession, from origin: Origin, by actor: Actor, _ correlationID: String
    ) -> EventDraft {
        let event = SessionRevoked(
            sessionID: session.sessionID, ownerID: session.ownerID, reason: session.revokedReason ?? "",
            peer: origin.peer)
        return draft(.sessionRevoked(event), session.workspaceID, by: actor, correlationID)
    }

    private static func actor(of session: AuthSession) -> Actor { Actor(.user, session.ownerID.rawValue) }

    private static func draft(
        _ event: AuthEvent, _ workspace: WorkspaceID, by actor: Actor, _ correlationID: String
    ) -> EventDraft {
        EventDraft(
            .auth(event), in: EventScope(workspaceID: workspace, correlationID: correlationID), by: actor)
    }
}
