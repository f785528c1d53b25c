import Crypto
package import DatabaseCore
package import EventStore
package import Platform
package import Shared

/// What every part of the api is given: the seams, the log and the database. Nothing is global.
package struct APIEnvironment: Sendable {
    package var clock: any Clock
    package var entropy: any Entropy
    package var database: any Database
    package var eventLog: EventLog
    package var log: Log
    package var leaseMilliseconds: Int64
    package var enforcementMode: EnforcementMode
    /// Whether a failed run opens an incident by itself.
    package var isPromotionLoopEnabled: Bool
    /// Authenticates engine tokens; made at the first start, in a 0600 file of the data directory.
    package var tokenKey: [UInt8]

    package init(
        clock: any Clock, entropy: any Entropy, database: any Database, eventLog: EventLog, log: Log,
        leaseMilliseconds: Int64, enforcementMode: EnforcementMode, isPromotionLoopEnabled: Bool, tokenKey: [UInt8]
    ) {
        (self.clock, self.entropy, self.database, self.eventLog) = (clock, entropy, database, eventLog)
        (self.log, self.leaseMilliseconds, self.enforcementMode) = (log, leaseMilliseconds, enforcementMode)
        (self.isPromotionLoopEnabled, self.tokenKey) = (isPromotionLoopEnabled, tokenKey)
    }

    var now: Timestamp { Timestamp(milliseconds: clock.wallMilliseconds()) }

    func newID<Kind>() -> Identifier<Kind> { Identifier(at: now, random: entropy.bytes(10)) }

    /// Prefix and 32 hexadecimal digits: attempts, engines, tokens (`contract/API_CORE.md` 1.5).
    func newHexID<Kind: IdentifierKind>() -> Identifier<Kind> { Identifier(Kind.prefix + Hex.text(entropy.bytes(16))) }

    func newUUID() -> String { UUIDText.version4(random: entropy.bytes(16)) }

    /// Correlation identifiers sort by time, so that their index grows at its end.
    func newCorrelationID() -> String {
        UUIDText.version7(milliseconds: clock.wallMilliseconds(), random: entropy.bytes(10))
    }

    /// A secret that is shown once: the prefix and 256 random bits.
    func newSecret(prefix: String) -> String { prefix + Base64URL.text(entropy.bytes(32)) }

    /// How a secret is stored.
    func hash(ofSecret secret: String) -> String { HMACSHA256.hex(Array(secret.utf8), key: tokenKey) }
}
