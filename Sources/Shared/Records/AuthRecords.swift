// Who owns a workspace, and the sessions of its owner. Operational: history survives their loss. What a credential is
// recognised by (hashes) stands beside them in the tables and is in no record, so that no answer can show it.

/// The person whose workspace it is; at most one for each.
package struct Owner: Hashable, Sendable, Codable {
    package var ownerID: OwnerID
    package var workspaceID: WorkspaceID
    package var principalID: String
    package var principalType: ActorType
    package var displayName: String

    package init(ownerID: OwnerID, workspaceID: WorkspaceID, principalID: String, displayName: String) {
        (self.ownerID, self.workspaceID, self.principalID) = (ownerID, workspaceID, principalID)
        (principalType, self.displayName) = (.user, displayName)
    }

    package var actor: Actor { Actor(.user, ownerID.rawValue) }
}

/// From a login to a logout, over all refreshes.
package struct AuthSession: Hashable, Sendable {
    package var sessionID: SessionID
    package var ownerID: OwnerID
    package var workspaceID: WorkspaceID
    package var principalID: String
    package var accessExpiresAt: Timestamp
    package var refreshExpiresAt: Timestamp
    package var issuedAt: Timestamp
    package var lastSeenAt: Timestamp
    package var revokedAt: Timestamp?
    package var revokedReason: String?
    package var userAgent: String?
    package var createdIP: String?

    package init(
        sessionID: SessionID, of owner: Owner, accessExpiresAt: Timestamp, refreshExpiresAt: Timestamp,
        at time: Timestamp, userAgent: String? = nil, createdIP: String? = nil
    ) {
        (self.sessionID, ownerID, workspaceID) = (sessionID, owner.ownerID, owner.workspaceID)
        (principalID, issuedAt, lastSeenAt) = (owner.principalID, time, time)
        (self.accessExpiresAt, self.refreshExpiresAt) = (accessExpiresAt, refreshExpiresAt)
        (self.userAgent, self.createdIP) = (userAgent, createdIP)
    }
}
