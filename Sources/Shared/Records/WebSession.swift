/// A browser that is signed in, from a login link to its end. Operational: history survives its loss.
package struct WebSession: Hashable, Sendable {
    /// How long a login link is good.
    package static let linkSeconds: Int64 = 600
    /// A session ends so long after it was used last,
    package static let idleSeconds: Int64 = 7 * 86_400
    /// and so long after it began at the latest.
    package static let lifeSeconds: Int64 = 30 * 86_400
    /// How exact `last_seen_at` is: a use that follows another within this time is not written down.
    package static let seenEveryMilliseconds: Int64 = 60_000
    /// Live sessions of one person; one more ends the one that was used the longest time ago.
    package static let countMax = 50

    package var sessionID: SessionID
    /// Whose it is; nil for the machine's operator.
    package var ownerID: OwnerID?
    package var workspaceID: WorkspaceID
    /// Whether it may look and not touch.
    package var isReadOnly: Bool
    package var createdAt: Timestamp
    package var lastSeenAt: Timestamp
    package var peer: String?
    package var userAgent: String?

    package init(
        sessionID: SessionID, ownerID: OwnerID?, workspaceID: WorkspaceID, isReadOnly: Bool, at time: Timestamp,
        peer: String? = nil, userAgent: String? = nil
    ) {
        (self.sessionID, self.ownerID, self.workspaceID) = (sessionID, ownerID, workspaceID)
        (self.isReadOnly, createdAt, lastSeenAt) = (isReadOnly, time, time)
        (self.peer, self.userAgent) = (peer, userAgent)
    }

    package var expiresAt: Timestamp {
        min(
            lastSeenAt.adding(milliseconds: Self.idleSeconds * 1000),
            createdAt.adding(milliseconds: Self.lifeSeconds * 1000))
    }
}
