/// What happened to the log as a whole.
package enum LogEvent: EventFamily {
    case backedUp(LogBackedUp)
    case restored(LogRestored)

    package static let members: [EventMember<LogEvent>] = [.init(LogEvent.backedUp), .init(LogEvent.restored)]

    package var payload: any EventPayload {
        switch self {
        case .backedUp(let payload): payload
        case .restored(let payload): payload
        }
    }
}

/// A copy of everything was handed out: recorded before its first byte leaves.
package struct LogBackedUp: EventPayload {
    package static let type = "log.backed_up"

    /// The last event that the copy has.
    package var backupGlobalSeq: Int64
    /// The root over all its events, as in the head file.
    package var root: String
    /// Of the database in the copy: by it a file is known to be this backup.
    package var databaseSha256: String
    /// Contents of artifacts.
    package var blobs: Int64

    package init(backupGlobalSeq: Int64, root: String, databaseSha256: String, blobs: Int64) {
        (self.backupGlobalSeq, self.root) = (backupGlobalSeq, root)
        (self.databaseSha256, self.blobs) = (databaseSha256, blobs)
    }
}

/// What is before this event came from a backup; whatever was recorded after the backup is not here.
package struct LogRestored: EventPayload {
    package static let type = "log.restored"

    /// The last event that the backup has.
    package var backupGlobalSeq: Int64
    package var backupMadeAt: Timestamp
    /// The root over all its events, as in the head file.
    package var root: String
    /// Where the log ended that was in this place before, with its root; nil when there was none, or it cannot be read.
    package var previousGlobalSeq: Int64?
    package var previousRoot: String?
    /// Runs that were held at the time of the backup: they are queued again, as after a lost engine.
    package var endedLeases: Int
    /// Sessions are not taken over: one that was revoked after the backup must not be good again.
    package var endedSessions: Int
    package var reason: String?

    package init(
        backupGlobalSeq: Int64, backupMadeAt: Timestamp, root: String, previousGlobalSeq: Int64? = nil,
        previousRoot: String? = nil, endedLeases: Int, endedSessions: Int, reason: String? = nil
    ) {
        (self.backupGlobalSeq, self.backupMadeAt, self.root) = (backupGlobalSeq, backupMadeAt, root)
        (self.previousGlobalSeq, self.previousRoot) = (previousGlobalSeq, previousRoot)
        (self.endedLeases, self.endedSessions, self.reason) = (endedLeases, endedSessions, reason)
    }
}
