import HTTP

// Signing in to the web UI, and what it remembers for a person.

extension Endpoint where Body == CreateLoginLink, Answer == LoginLinkAnswer {
    package static var createLoginLink: Self {
        .init(
            .post, "/v1/ui/links", "Makes a link that signs one browser in, once, as whoever makes it.", .created,
            refuses: [.readOnlySession], example: CreateLoginLink(readOnly: true),
            notes: """
                The code stands behind the `#` of the link, so it is in no log and is sent to no server but by the page itself. \
                It is good once and for \(WebSession.linkSeconds / 60) minutes.
                """)
    }
}

extension Endpoint where Body == BeginWebSession, Answer == WebSessionAnswer {
    package static var beginWebSession: Self {
        .init(
            .post, "/v1/ui/session", "Begins a session of the web UI with the code of a link, and sets its cookie.",
            .created, refuses: [.missingField, .invalidLoginLink],
            example: BeginWebSession(code: ExampleIDs.loginCode),
            notes: """
                The cookie is `HttpOnly` and `SameSite=Strict`. A request that it authorises and that changes something also \
                carries the session's `csrf_token` as `x-csrf-token`.
                """)
    }
}

extension Endpoint where Body == Nothing, Answer == WebSessionAnswer {
    package static var webSession: Self {
        .init(.get, "/v1/ui/session", "Who the web UI's session stands for; what a page asks first.")
    }
}

extension Endpoint where Body == Nothing, Answer == LoggedOutAnswer {
    package static var endWebSession: Self {
        .init(.post, "/v1/ui/session/end", "Ends the session of the web UI, and takes its cookie away.")
    }
}

extension Endpoint where Body == Nothing, Answer == WebMarks {
    package static var webMarks: Self {
        .init(.get, "/v1/ui/marks", "How far the caller has read, by name: of a room its id, `home` for the whole log.")
    }
}

extension Endpoint where Body == WebMarks, Answer == WebMarks {
    package static var moveWebMarks: Self {
        .init(
            .post, "/v1/ui/marks", "Moves marks forward; one that is further already stays. Answers with all of them.",
            refuses: [.invalidField], example: WebMarks(marks: ["home": 12]))
    }
}

/// A link to make.
package struct CreateLoginLink: Codable, Hashable, Sendable {
    /// Whether the session may look and not touch.
    package var readOnly: Bool?

    package init(readOnly: Bool? = nil) { self.readOnly = readOnly }
}

/// The link, shown once.
package struct LoginLinkAnswer: Codable, Hashable, Sendable {
    package var url: String
    package var expiresAt: Timestamp

    package init(url: String, expiresAt: Timestamp) { (self.url, self.expiresAt) = (url, expiresAt) }
}

/// The code of a link.
package struct BeginWebSession: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [.required("code", bytesMax: Limits.nameBytesMax)]

    package var code: String?

    package init(code: String? = nil) { self.code = code }
}

/// Who is signed in.
package struct WebSessionAnswer: Codable, Hashable, Sendable {
    package var session: WebSessionView

    package init(session: WebSessionView) { self.session = session }
}

/// A caller as the web UI sees itself.
package struct WebSessionView: Codable, Hashable, Sendable {
    package var actorType: ActorType
    package var actorID: String
    package var displayName: String
    package var workspaceID: WorkspaceID
    /// Whether the machine is theirs, and not only the workspace.
    package var isOperator: Bool
    package var isReadOnly: Bool
    /// What requests that change something must carry; null where no cookie authorises them.
    package var csrfToken: String?
    package var expiresAt: Timestamp?

    package init(
        actor: Actor, displayName: String, workspaceID: WorkspaceID, isOperator: Bool, isReadOnly: Bool,
        csrfToken: String? = nil, expiresAt: Timestamp? = nil
    ) {
        (actorType, actorID, self.displayName) = (actor.actorType, actor.actorID, displayName)
        (self.workspaceID, self.isOperator, self.isReadOnly) = (workspaceID, isOperator, isReadOnly)
        (self.csrfToken, self.expiresAt) = (csrfToken, expiresAt)
    }
}

/// How far somebody has read, by name.
package struct WebMarks: Codable, Hashable, Sendable {
    /// Marks of one person in one workspace; more are refused.
    package static let countMax = 1_000

    package var marks: [String: Int64]

    package init(marks: [String: Int64]) { self.marks = marks }
}
