/// What happens to engines and their tokens.
package enum EngineEvent: EventFamily {
    case registered(EngineRegistered)
    case tokenIssued(EngineTokenIssued)
    case tokenRevoked(EngineTokenRevoked)
    case deactivated(EngineDeactivated)

    package static let members: [EventMember<EngineEvent>] = [
        .init(EngineEvent.registered), .init(EngineEvent.tokenIssued), .init(EngineEvent.tokenRevoked),
        .init(EngineEvent.deactivated),
    ]

    package var payload: any EventPayload {
        switch self {
        case .registered(let payload): payload
        case .tokenIssued(let payload): payload
        case .tokenRevoked(let payload): payload
        case .deactivated(let payload): payload
        }
    }
}

/// An engine was made known, with a first token.
package struct EngineRegistered: EventPayload {
    package static let type = "engine.registered"

    package var engineID: EngineID
    package var actorID: String
    package var principalID: String
    package var tokenID: EngineTokenID
    /// True when it had been deactivated before; else not there.
    package var reactivated: Bool?

    package init(
        engineID: EngineID, actorID: String, principalID: String, tokenID: EngineTokenID, reactivated: Bool? = nil
    ) {
        (self.engineID, self.actorID, self.principalID, self.tokenID) = (engineID, actorID, principalID, tokenID)
        self.reactivated = reactivated
    }
}

/// An engine was given one more token.
package struct EngineTokenIssued: EventPayload {
    package static let type = "engine.token.issued"

    package var engineID: EngineID
    package var tokenID: EngineTokenID

    package init(engineID: EngineID, tokenID: EngineTokenID) {
        (self.engineID, self.tokenID) = (engineID, tokenID)
    }
}

/// A token is dead from the next request on.
package struct EngineTokenRevoked: EventPayload {
    package static let type = "engine.token.revoked"

    package var engineID: EngineID
    package var tokenID: EngineTokenID
    package var reason: String

    package init(engineID: EngineID, tokenID: EngineTokenID, reason: String) {
        (self.engineID, self.tokenID, self.reason) = (engineID, tokenID, reason)
    }
}

/// An engine and all its tokens are dead.
package struct EngineDeactivated: EventPayload {
    package static let type = "engine.deactivated"

    package var engineID: EngineID
    package var tokenIDs: [EngineTokenID]
    package var reason: String

    package init(engineID: EngineID, tokenIDs: [EngineTokenID], reason: String) {
        (self.engineID, self.tokenIDs, self.reason) = (engineID, tokenIDs, reason)
    }
}
