/// The numbers of owners and sessions.
package enum AuthRules {
    /// NIST SP 800-63B, 5.1.1.2: what a person chooses has 8 characters at the least. Every character counts.
    package static let passphraseCharactersMin = 8
    package static let passphraseBytesMax = 1024
    /// Live sessions of an owner; one more ends the one that was used the longest time ago.
    package static let sessionsMax = 50
    package static let userAgentBytesMax = 200
    /// How exact `last_seen_at` is: a use that follows another within this time is not written down.
    package static let seenEveryMilliseconds: Int64 = 60_000

    package static let accessSecondsDefault: Int64 = 3_600
    package static let refreshSecondsDefault: Int64 = 2_592_000
}
