import Crypto
import DatabaseCore
import HTTP
import Shared

/// The web UI's session that came with a request, and whom it stands for.
struct WebIdentity: Sendable {
    var session: WebSession
    var secretHash: String
    var csrfToken: String
    var caller: Caller
    var workspace: WorkspaceID

    /// What cookies' values begin with.
    static let secretPrefix = "aws_"
    /// What a login link's code begins with.
    static let codePrefix = "alk_"
    private static let csrfPurpose = "csrf:"

    /// The cookie's name: browsers send cookies to every port of a host, so each instance has a name of its own.
    static func cookieName(port: UInt16) -> String { "aos_session_\(port)" }

    /// The token that goes with the cookie. It follows from it, so that it need not be kept, and does not give it away.
    static func csrfToken(of secret: String, _ environment: APIEnvironment) -> String {
        environment.hash(ofSecret: csrfPurpose + secret)
    }
}

extension Authentication {
    /// The session of the request's cookie; nil where another credential came, or no cookie.
    ///
    /// A browser sends the cookie along whoever asks. So it counts only when the asking page is ours (Fetch Metadata,
    /// `Sec-Fetch-Site`), and what changes something also has to show the token that only our page was told (OWASP,
    /// Cross-Site Request Forgery Prevention). `SameSite=Strict` alone is not enough: every port of a host is one site.
    /// - Parameter changesNothing: Whether the route only reads, whatever its method.
    func web(_ request: HTTPRequest, changesNothing: Bool) throws -> WebIdentity? {
        let fields = request.fields
        guard !fields.contains(.authorization), !fields.contains(.xEngineToken) else { return nil }
        let values = Cookies.values(of: webCookieName, in: fields)
        guard let secret = values.first else { return nil }
        guard values.count == 1 else {
            throw Rejection.field(
                webCookieName, .ambiguousParameter, "\(webCookieName): expected one such cookie, found several")
        }
        if let site = fields[.secFetchSite]?.lowercased(), site != "same-origin", site != "none" {
            throw Rejection(.cookieNotAccepted, "a page of another origin cannot use the session's cookie")
        }
        let secretHash = environment.hash(ofSecret: secret)
        let now = environment.now
        let found = try environment.database.read { transaction -> (WebSession, Owner?)? in
            guard let session = try WebSessionTable.live(secretHash, at: now, transaction) else { return nil }
            let owner = try session.ownerID.flatMap { try OwnerTable.find($0, transaction)?.owner }
            return owner == nil && session.ownerID != nil ? nil : (session, owner)
        }
        guard let (session, owner) = found else {
            // In the header mode nobody needs it, and it may be a left-over.
            if isHeaderMode { return nil }
            throw Rejection(.invalidSession, "the session is over; `aos ui` makes a new link")
        }
        let csrfToken = WebIdentity.csrfToken(of: secret, environment)
        if ![.get, .head, .options].contains(request.method) {
            guard let token = fields[.xCSRFToken], ConstantTime.equal(token, csrfToken) else {
                throw Rejection(
                    .csrfTokenRequired, "x-csrf-token: expected the session's csrf_token from GET /v1/ui/session")
            }
            guard !session.isReadOnly || changesNothing else {
                throw Rejection(.readOnlySession, "this session may look and not touch; `aos ui` makes one that may")
            }
        }
        if now.milliseconds - session.lastSeenAt.milliseconds >= WebSession.seenEveryMilliseconds {
            // Nobody waits for it, and a use that is not noted is no loss.
            environment.database.write {
                try WebSessionTable.seen(secretHash, at: now, $0)
            } then: { (_: Result<Void, any Error>) in
            }
        }
        return WebIdentity(
            session: session, secretHash: secretHash, csrfToken: csrfToken, caller: caller(session, owner),
            workspace: owner == nil && fields.contains(.xWorkspaceID)
                ? try workspace(request) : session.workspaceID)
    }

    private func caller(_ session: WebSession, _ owner: Owner?) -> Caller {
        guard let owner else { return .operatorUser }
        return .owner(
            owner,
            AuthSession(
                sessionID: session.sessionID, of: owner, accessExpiresAt: session.expiresAt,
                refreshExpiresAt: session.expiresAt, at: session.createdAt, userAgent: session.userAgent,
                createdIP: session.peer))
    }
}
