package import Shared

/// Slows guessing down: after a few failed logins in a row the next must wait, each time twice as long.
///
/// An attempt counts when it begins, so that many at once are no way around; a success forgets them all.
package struct LoginThrottle: Sendable {
    /// Who guesses at what.
    package struct Key: Hashable, Sendable {
        /// Nil for all workspaces without an owner together, and for the bootstrap token: trying one name after the
        /// other is guessing, too.
        package var workspace: WorkspaceID?
        /// Where the attempts come from; nil without a connection.
        package var peer: String?

        package init(workspace: WorkspaceID?, peer: String?) { (self.workspace, self.peer) = (workspace, peer) }
    }

    /// Attempts that need not wait.
    package static let freeAttempts = 5
    package static let waitMillisecondsMin: Int64 = 15_000
    package static let waitMillisecondsMax: Int64 = 900_000
    /// Without an attempt for so long, all is forgotten.
    package static let forgottenMilliseconds: Int64 = 3_600_000
    /// Keys that are remembered; the one whose last attempt is the oldest makes room.
    package static let keysMax = 4_096

    private struct Entry {
        var attempts: Int
        var lastMs: Int64
    }

    private var entries: [Key: Entry] = [:]

    package init() {}

    /// Begins an attempt, which counts as failed until ``succeeded(_:)``.
    /// - Returns: Nil, or how long to wait first; then nothing is counted.
    package mutating func begin(_ key: Key, nowMs: Int64) -> Int64? {
        var entry = entries[key] ?? Entry(attempts: 0, lastMs: nowMs)
        if nowMs - entry.lastMs >= Self.forgottenMilliseconds { entry.attempts = 0 }
        let left = entry.lastMs + Self.wait(after: entry.attempts) - nowMs
        if left > 0 { return left }
        if entries[key] == nil, entries.count >= Self.keysMax { makeRoom() }
        entries[key] = Entry(attempts: entry.attempts + 1, lastMs: nowMs)
        return nil
    }

    /// The passphrase was right.
    package mutating func succeeded(_ key: Key) { entries[key] = nil }

    /// The attempt was never made: the server was busy.
    package mutating func withdrawn(_ key: Key) { entries[key]?.attempts -= 1 }

    package var count: Int { entries.count }

    /// 15 s after the fifth attempt, then 30 s, 60 s … up to 15 min.
    private static func wait(after attempts: Int) -> Int64 {
        guard attempts >= freeAttempts else { return 0 }
        return min(waitMillisecondsMax, waitMillisecondsMin << Int64(min(attempts - freeAttempts, 10)))
    }

    private mutating func makeRoom() {
        guard let oldest = entries.min(by: { $0.value.lastMs < $1.value.lastMs }) else { return }
        entries[oldest.key] = nil
    }
}
