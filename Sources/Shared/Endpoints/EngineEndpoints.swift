import HTTP
package import JSON

// Engines, their tokens and their control channel.

extension Endpoint where Body == RegisterEngine, Answer == EngineRegisteredAnswer {
    package static var registerEngine: Self {
        .init(
            .post, "/v1/engines/register", "Makes an engine known and issues a token, shown once.", .created,
            example: RegisterEngine(actorID: "engine-1", engineName: "The one in the cellar", tokenLabel: "first"))
    }
}

extension Endpoint where Body == Nothing, Answer == EngineList {
    package static var engines: Self { .init(.get, "/v1/engines", "Engines, newest change first.") }
}

extension Endpoint where Body == Nothing, Answer == EngineTokenList {
    package static var engineTokens: Self {
        .init(.get, "/v1/engines/{engine_id}/tokens", "An engine's tokens, without their secrets.")
    }
}

extension Endpoint where Body == IssueEngineToken, Answer == EngineRegisteredAnswer {
    package static var issueEngineToken: Self {
        .init(
            .post, "/v1/engines/{engine_id}/tokens/issue", "Issues one more token, shown once.", .created,
            refuses: [.engineNotFound], example: IssueEngineToken(tokenLabel: "second"))
    }
}

extension Endpoint where Body == GiveReason, Answer == RevokedAnswer {
    package static var revokeEngineToken: Self {
        .init(
            .post, "/v1/engines/{engine_id}/tokens/{token_id}/revoke", "Ends a token.", refuses: [.engineNotFound],
            example: GiveReason(reason: "The laptop is lost"))
    }
}

extension Endpoint where Body == GiveReason, Answer == DeactivatedAnswer {
    package static var deactivateEngine: Self {
        .init(
            .post, "/v1/engines/{engine_id}/deactivate", "Ends an engine and all its tokens.",
            refuses: [.engineNotFound], example: GiveReason(reason: "Retired"))
    }
}

extension Endpoint where Body == EngineControl, Answer == EngineControlAnswer {
    package static var engineControl: Self {
        .init(
            .post, "/v1/engines/{engine_id}/control", "Long poll that brings cancel, halt and drain to the engine.",
            example: EngineControl(waitMs: 0))
    }
}

/// An engine to make known.
package struct RegisterEngine: Codable, Hashable, Sendable {
    package var actorID: String?
    package var engineName: String?
    package var metadata: JSONValue?
    package var tokenLabel: String?
    package var validUntil: String?
    package var scopes: RequestedScopes?

    package init(
        actorID: String? = nil, engineName: String? = nil, metadata: JSONValue? = nil, tokenLabel: String? = nil,
        validUntil: String? = nil, scopes: RequestedScopes? = nil
    ) {
        (self.actorID, self.engineName, self.metadata, self.tokenLabel) = (actorID, engineName, metadata, tokenLabel)
        (self.validUntil, self.scopes) = (validUntil, scopes)
    }
}

/// What a token shall be good for; what is missing gets the default.
package struct RequestedScopes: Codable, Hashable, Sendable {
    package var actionTypes: [String]?
    package var rooms: [String]?

    package init(actionTypes: [String]? = nil, rooms: [String]? = nil) {
        (self.actionTypes, self.rooms) = (actionTypes, rooms)
    }
}

/// A token to issue.
package struct IssueEngineToken: Codable, Hashable, Sendable {
    package var tokenLabel: String?
    package var validUntil: String?
    package var scopes: RequestedScopes?

    package init(tokenLabel: String? = nil, validUntil: String? = nil, scopes: RequestedScopes? = nil) {
        (self.tokenLabel, self.validUntil, self.scopes) = (tokenLabel, validUntil, scopes)
    }
}

/// The engine and its new token.
package struct EngineRegisteredAnswer: Codable, Hashable, Sendable {
    package var engine: EngineRecord
    package var token: EngineToken

    package init(engine: EngineRecord, token: EngineToken) {
        (self.engine, self.token) = (engine, token)
    }
}

/// Engines, newest change first.
package struct EngineList: Codable, Hashable, Sendable {
    package var engines: [EngineRecord]

    package init(engines: [EngineRecord]) {
        self.engines = engines
    }
}

/// Tokens, newest first.
package struct EngineTokenList: Codable, Hashable, Sendable {
    package var tokens: [EngineToken]

    package init(tokens: [EngineToken]) {
        self.tokens = tokens
    }
}

/// Why.
package struct GiveReason: Codable, Hashable, Sendable {
    package var reason: String?

    package init(reason: String? = nil) {
        self.reason = reason
    }
}

/// Whether it was revoked before.
package struct RevokedAnswer: Codable, Hashable, Sendable {
    package var ok: Bool
    package var alreadyRevoked: Bool

    package init(ok: Bool, alreadyRevoked: Bool) {
        (self.ok, self.alreadyRevoked) = (ok, alreadyRevoked)
    }
}

/// The engine as it is now.
package struct DeactivatedAnswer: Codable, Hashable, Sendable {
    package var ok: Bool
    package var engine: EngineRecord

    package init(ok: Bool, engine: EngineRecord) {
        (self.ok, self.engine) = (ok, engine)
    }
}

/// What the engine has heard of already, and how long it is ready to wait for more.
package struct EngineControl: Codable, Hashable, Sendable {
    package var waitMs: Int64?
    package var killSwitchEpoch: Int64?
    /// Runs the engine is already stopping.
    package var cancelling: [RunID]?

    package init(waitMs: Int64? = nil, killSwitchEpoch: Int64? = nil, cancelling: [RunID]? = nil) {
        (self.waitMs, self.killSwitchEpoch, self.cancelling) = (waitMs, killSwitchEpoch, cancelling)
    }
}

/// What the engine must act on now.
package struct EngineControlAnswer: Codable, Hashable, Sendable {
    package var cancel: [RunID]
    package var killSwitch: Bool
    package var killSwitchEpoch: Int64
    package var drain: Bool

    package init(cancel: [RunID], killSwitch: Bool, killSwitchEpoch: Int64, drain: Bool) {
        (self.cancel, self.killSwitch, self.killSwitchEpoch, self.drain) = (cancel, killSwitch, killSwitchEpoch, drain)
    }
}
