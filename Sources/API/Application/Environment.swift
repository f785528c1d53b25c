import Crypto
package import DatabaseCore
package import EventStore
package import Platform
package import Shared

/// Whose clock leases are counted by.
package enum LeaseClock: Sendable {
    /// This process's monotonic one: no other process has to agree with it.
    case process
    /// The database's, where it has one.
    case database
}

/// What every part of the api is given: the seams, the log and the database. Nothing is global.
package struct APIEnvironment: Sendable {
    package var clock: any Clock
    package var entropy: any Entropy
    package var database: any Database
    package var eventLog: EventLog
    package var log: Log
    package var leaseMilliseconds: Int64
    /// Whose clock leases are counted by.
    package var leaseClock: LeaseClock
    package var enforcementMode: EnforcementMode
    /// Whether a failed run opens an incident by itself.
    package var isPromotionLoopEnabled: Bool
    /// Authenticates engine tokens; made at the first start, in a 0600 file of the data directory.
    package var tokenKey: [UInt8]

    package init(
        clock: any Clock, entropy: any Entropy, database: any Database, eventLog: EventLog, log: Log,
        leaseMilliseconds: Int64, leaseClock: LeaseClock, enforcementMode: EnforcementMode,
        isPromotionLoopEnabled: Bool, tokenKey: [UInt8]
    ) {
        (self.clock, self.entropy, self.database, self.eventLog) = (clock, entropy, database, eventLog)
        (self.log, self.leaseMilliseconds, self.leaseClock) = (log, leaseMilliseconds, leaseClock)
        self.enforcementMode = enforcementMode
        (self.isPromotionLoopEnabled, self.tokenKey) = (isPromotionLoopEnabled, tokenKey)
    }

    func leaseClockMs(_ transaction: any ReadTransaction) throws -> Int64 {
        switch leaseClock {
        case .process: clock.monotonicMilliseconds()
        case .database: try transaction.clockMilliseconds() ?? clock.monotonicMilliseconds()
        }
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
