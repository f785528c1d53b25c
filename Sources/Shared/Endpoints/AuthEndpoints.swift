import HTTP
import JSON

// The owner's sessions (`contract/API_HARDENING.md` 7.2).

extension Endpoint where Body == BootstrapOwner, Answer == OwnerSessionAnswer {
    package static var bootstrapOwner: Self {
        .init(
            .post, "/v1/auth/bootstrap-owner", "Makes the workspace's owner, once, and begins a session.", .created,
            refuses: [
                .ownerAlreadyExists, .bootstrapForbidden, .loginThrottled, .missingPassphrase, .weakPassphrase,
                .invalidWorkspaceID,
            ],
            example: BootstrapOwner(
                workspaceID: ExampleIDs.workspace, displayName: "Min", passphrase: "correct horse battery staple"))
    }
}

extension Endpoint where Body == LogIn, Answer == OwnerSessionAnswer {
    package static var login: Self {
        .init(
            .post, "/v1/auth/login", "Begins a session of the workspace's owner.",
            refuses: [
                .missingPassphrase, .ownerNotFound, .invalidCredentials, .loginThrottled, .invalidWorkspaceID,
            ], example: LogIn(workspaceID: ExampleIDs.workspace, passphrase: "correct horse battery staple"))
    }
}

extension Endpoint where Body == RefreshSession, Answer == SessionAnswer {
    package static var refreshSession: Self {
        .init(
            .post, "/v1/auth/refresh",
            "Replaces both tokens of a session. The old pair is dead at once; using an old refresh token again ends the session.",
            refuses: [.missingRefreshToken, .invalidRefreshToken],
            example: RefreshSession(refreshToken: ExampleIDs.refreshToken))
    }
}

extension Endpoint where Body == LogOut, Answer == LoggedOutAnswer {
    package static var logout: Self {
        .init(
            .post, "/v1/auth/logout", "Ends the session of the bearer token, of the refresh token, or of both.",
            example: LogOut())
    }
}

extension Endpoint where Body == Nothing, Answer == CurrentSessionAnswer {
    package static var session: Self {
        .init(
            .get, "/v1/auth/session", "The session of the bearer token.",
            refuses: [.missingBearerToken, .invalidSession])
    }
}

/// The owner to make. The passphrase is never trimmed.
package struct BootstrapOwner: Codable, Hashable, Sendable, RuledBody {
    package var workspaceID: WorkspaceID?
    package var displayName: String?
    package var passphrase: String?
    /// Whether to set the cookie that the event stream accepts.
    package var cookie: Bool?

    package static let rules: [FieldRule] = [.text("display_name", bytesMax: Limits.nameBytesMax)]

    package init(
        workspaceID: WorkspaceID? = nil, displayName: String? = nil, passphrase: String? = nil, cookie: Bool? = nil
    ) {
        (self.workspaceID, self.displayName) = (workspaceID, displayName)
        (self.passphrase, self.cookie) = (passphrase, cookie)
    }
}

/// Who wants in.
package struct LogIn: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .required("passphrase", .missingPassphrase, bytesMax: Limits.titleBytesMax)
    ]

    package var workspaceID: WorkspaceID?
    package var passphrase: String?
    /// Whether to set the cookie that the event stream accepts.
    package var cookie: Bool?

    package init(workspaceID: WorkspaceID? = nil, passphrase: String? = nil, cookie: Bool? = nil) {
        (self.workspaceID, self.passphrase, self.cookie) = (workspaceID, passphrase, cookie)
    }
}

/// The session to go on with.
package struct RefreshSession: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .required("refresh_token", .missingRefreshToken, bytesMax: Limits.nameBytesMax)
    ]

    package var refreshToken: String?
    /// Whether to set the cookie that the event stream accepts.
    package var cookie: Bool?

    package init(refreshToken: String? = nil, cookie: Bool? = nil) {
        (self.refreshToken, self.cookie) = (refreshToken, cookie)
    }
}

/// The session to end, where no bearer token says it.
package struct LogOut: Codable, Hashable, Sendable {
    package var refreshToken: String?

    package init(refreshToken: String? = nil) { self.refreshToken = refreshToken }
}

/// A session's tokens: in this answer and nowhere else.
package struct SessionTokens: Codable, Hashable, Sendable {
    package var accessToken: String
    package var accessExpiresAt: Timestamp
    package var refreshToken: String
    package var refreshExpiresAt: Timestamp

    package init(_ session: AuthSession, accessToken: String, refreshToken: String) {
        (self.accessToken, self.refreshToken) = (accessToken, refreshToken)
        (accessExpiresAt, refreshExpiresAt) = (session.accessExpiresAt, session.refreshExpiresAt)
    }

    /// What access tokens begin with.
    package static let accessPrefix = "atk_"
    /// What refresh tokens begin with.
    package static let refreshPrefix = "rtk_"
}

/// The owner and the new session.
package struct OwnerSessionAnswer: Codable, Hashable, Sendable {
    package var owner: Owner
    package var session: SessionTokens

    package init(owner: Owner, session: SessionTokens) { (self.owner, self.session) = (owner, session) }
}

/// The session with its new tokens.
package struct SessionAnswer: Codable, Hashable, Sendable {
    package var session: SessionTokens

    package init(session: SessionTokens) { self.session = session }
}

/// Whether there was a session to end.
package struct LoggedOutAnswer: Codable, Hashable, Sendable {
    package var ok: Bool
    package var revoked: Bool

    package init(ok: Bool, revoked: Bool) { (self.ok, self.revoked) = (ok, revoked) }
}

/// A session without its tokens.
package struct CurrentSession: Codable, Hashable, Sendable {
    package var sessionID: SessionID
    package var accessExpiresAt: Timestamp
    package var refreshExpiresAt: Timestamp

    package init(_ session: AuthSession) {
        (sessionID, accessExpiresAt) = (session.sessionID, session.accessExpiresAt)
        refreshExpiresAt = session.refreshExpiresAt
    }
}

/// Who the bearer token stands for, and until when.
package struct CurrentSessionAnswer: Codable, Hashable, Sendable {
    package var owner: Owner
    package var session: CurrentSession

    package init(owner: Owner, session: CurrentSession) { (self.owner, self.session) = (owner, session) }
}
