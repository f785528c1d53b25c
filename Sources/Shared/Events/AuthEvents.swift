/// Who came in and went, without any token.
package enum AuthEvent: EventFamily {
    case ownerCreated(OwnerCreated)
    case sessionIssued(SessionIssued)
    case sessionRefreshed(SessionRefreshed)
    case sessionRevoked(SessionRevoked)
    case loginFailed(LoginFailed)
    case webSessionIssued(WebSessionIssued)
    case webSessionEnded(WebSessionEnded)

    package static let members: [EventMember<AuthEvent>] = [
        .init(AuthEvent.ownerCreated), .init(AuthEvent.sessionIssued), .init(AuthEvent.sessionRefreshed),
        .init(AuthEvent.sessionRevoked), .init(AuthEvent.loginFailed),
        .init(AuthEvent.webSessionIssued), .init(AuthEvent.webSessionEnded),
    ]

    package var payload: any EventPayload {
        switch self {
        case .ownerCreated(let payload): payload
        case .sessionIssued(let payload): payload
        case .sessionRefreshed(let payload): payload
        case .sessionRevoked(let payload): payload
        case .loginFailed(let payload): payload
        case .webSessionIssued(let payload): payload
        case .webSessionEnded(let payload): payload
        }
    }
}

/// The workspace has an owner.
package struct OwnerCreated: EventPayload {
    package static let type = "auth.owner.created"

    package var ownerID: OwnerID
    package var principalID: String
    package var displayName: String
    package var peer: String?

    package init(ownerID: OwnerID, principalID: String, displayName: String, peer: String? = nil) {
        self.ownerID = ownerID
        self.principalID = principalID
        self.displayName = displayName
        self.peer = peer
    }
}

/// A session began.
package struct SessionIssued: EventPayload {
    package static let type = "auth.session.issued"

    package var sessionID: SessionID
    package var ownerID: OwnerID
    package var peer: String?

    package init(sessionID: SessionID, ownerID: OwnerID, peer: String? = nil) {
        self.sessionID = sessionID
        self.ownerID = ownerID
        self.peer = peer
    }
}

/// Both tokens of a session were replaced.
package struct SessionRefreshed: EventPayload {
    package static let type = "auth.session.refreshed"

    package var sessionID: SessionID
    package var ownerID: OwnerID
    package var peer: String?

    package init(sessionID: SessionID, ownerID: OwnerID, peer: String? = nil) {
        self.sessionID = sessionID
        self.ownerID = ownerID
        self.peer = peer
    }
}

/// A session ended.
package struct SessionRevoked: EventPayload {
    package static let type = "auth.session.revoked"

    package var sessionID: SessionID
    package var ownerID: OwnerID
    package var reason: String
    package var peer: String?

    package init(sessionID: SessionID, ownerID: OwnerID, reason: String, peer: String? = nil) {
        self.sessionID = sessionID
        self.ownerID = ownerID
        self.reason = reason
        self.peer = peer
    }
}

/// A passphrase was wrong.
package struct LoginFailed: EventPayload {
    package static let type = "auth.login.failed"

    package var ownerID: OwnerID?
    package var peer: String?

    package init(ownerID: OwnerID? = nil, peer: String? = nil) {
        self.ownerID = ownerID
        self.peer = peer
    }
}

/// A browser was signed in to the web UI.
package struct WebSessionIssued: EventPayload {
    package static let type = "auth.web_session.issued"

    package var sessionID: SessionID
    /// Nil for the machine's operator.
    package var ownerID: OwnerID?
    package var isReadOnly: Bool
    package var peer: String?
    package var userAgent: String?

    package init(_ session: WebSession) {
        (sessionID, ownerID, isReadOnly) = (session.sessionID, session.ownerID, session.isReadOnly)
        (peer, userAgent) = (session.peer, session.userAgent)
    }
}

/// A browser was signed out of the web UI.
package struct WebSessionEnded: EventPayload {
    package static let type = "auth.web_session.ended"

    package var sessionID: SessionID
    package var ownerID: OwnerID?
    package var peer: String?

    package init(sessionID: SessionID, ownerID: OwnerID?, peer: String? = nil) {
        (self.sessionID, self.ownerID, self.peer) = (sessionID, ownerID, peer)
    }
}
