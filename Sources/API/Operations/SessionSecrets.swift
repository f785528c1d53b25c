import Platform
import Shared

/// A refresh token: `rtk_` and 32 random bytes. The first 15 of them stay the same as long as the session lives, the
/// other 17 are new with every refresh. So a token that was replaced before is known for one, however often the session
/// was refreshed since, at the cost of one more column.
struct RefreshToken: Sendable {
    private static let familyBytes = 15
    private static let freshBytes = 17
    /// Of base64url: 15 bytes are 20 characters, without a rest.
    private static let familyCharacters = 20
    private static let characters = 43

    let text: String
    /// What all refresh tokens of the session share.
    let family: String

    /// The first token of a session.
    init(_ environment: APIEnvironment) {
        self.init(family: Base64URL.text(environment.entropy.bytes(Self.familyBytes)), environment)
    }

    /// The token that replaces this one.
    func renewed(_ environment: APIEnvironment) -> RefreshToken { RefreshToken(family: family, environment) }

    /// Nil for what was never a refresh token.
    init?(_ text: String) {
        guard text.hasPrefix(SessionTokens.refreshPrefix) else { return nil }
        let random = text.dropFirst(SessionTokens.refreshPrefix.count)
        guard random.utf8.count == Self.characters else { return nil }
        (self.text, family) = (text, String(random.prefix(Self.familyCharacters)))
    }

    private init(family: String, _ environment: APIEnvironment) {
        self.family = family
        text = SessionTokens.refreshPrefix + family + Base64URL.text(environment.entropy.bytes(Self.freshBytes))
    }
}

extension SessionTable.Stored {
    /// A session with the hashes of its tokens.
    init(_ session: AuthSession, access: String, refresh: RefreshToken, _ environment: APIEnvironment) {
        self.session = session
        accessTokenHash = environment.hash(ofSecret: access)
        refreshTokenHash = environment.hash(ofSecret: refresh.text)
        refreshFamilyHash = environment.hash(ofSecret: refresh.family)
    }
}
