package import JSON

/// What concerns the instance or the log itself.
package enum SystemEvent: EventFamily {
    case apiStarted(APIStarted)
    case apiStopped(APIStopped)
    case configurationReloaded(ConfigurationReloaded)
    case killSwitchEngaged(KillSwitchEngaged)
    case killSwitchLifted(KillSwitchLifted)
    case eventErased(EventErased)
    case eventRedacted(EventRedacted)
    case secretLeakedDetected(SecretLeakedDetected)

    package static let members: [EventMember<SystemEvent>] = [
        .init(SystemEvent.apiStarted), .init(SystemEvent.apiStopped), .init(SystemEvent.configurationReloaded),
        .init(SystemEvent.killSwitchEngaged), .init(SystemEvent.killSwitchLifted), .init(SystemEvent.eventErased),
        .init(SystemEvent.eventRedacted), .init(SystemEvent.secretLeakedDetected),
    ]

    package var payload: any EventPayload {
        switch self {
        case .apiStarted(let payload): payload
        case .apiStopped(let payload): payload
        case .configurationReloaded(let payload): payload
        case .killSwitchEngaged(let payload): payload
        case .killSwitchLifted(let payload): payload
        case .eventErased(let payload): payload
        case .eventRedacted(let payload): payload
        case .secretLeakedDetected(let payload): payload
        }
    }
}

/// The api process is ready to serve.
package struct APIStarted: EventPayload {
    package static let type = "api.started"

    package var version: String
    package var recoveredLeases: Int

    package init(version: String, recoveredLeases: Int) {
        (self.version, self.recoveredLeases) = (version, recoveredLeases)
    }
}

/// The api process has drained and ends.
package struct APIStopped: EventPayload {
    package static let type = "api.stopped"

    package var reason: String

    package init(reason: String) {
        self.reason = reason
    }
}

/// Settings were read again.
package struct ConfigurationReloaded: EventPayload {
    package static let type = "configuration.reloaded"

    package var changed: [String]

    package init(changed: [String]) {
        self.changed = changed
    }
}

/// No external write starts from here on.
package struct KillSwitchEngaged: EventPayload {
    package static let type = "kill_switch.engaged"

    package var source: KillSwitchSource
    package var reason: String?
    package var epoch: Int64

    package init(source: KillSwitchSource, reason: String? = nil, epoch: Int64) {
        (self.source, self.reason, self.epoch) = (source, reason, epoch)
    }
}

/// One source of the halt is gone; it holds while another is there.
package struct KillSwitchLifted: EventPayload {
    package static let type = "kill_switch.lifted"

    package var source: KillSwitchSource
    package var reason: String?
    package var epoch: Int64

    package init(source: KillSwitchSource, reason: String? = nil, epoch: Int64) {
        (self.source, self.reason, self.epoch) = (source, reason, epoch)
    }
}

/// Somebody had what an event said erased, for good. Its header and digests stay, so the chain still holds.
package struct EventErased: EventPayload {
    package static let type = "event.erased"

    package var targetEventID: EventID
    package var targetEventType: String
    package var reason: String
    /// What is left of the payload (``ErasedForm``): identifiers, numbers and words of closed lists, no free text. Read
    /// models are folded of it, now and whenever they are folded anew.
    package var remains: JSONValue

    package init(targetEventID: EventID, targetEventType: String, reason: String, remains: JSONValue) {
        (self.targetEventID, self.targetEventType) = (targetEventID, targetEventType)
        (self.reason, self.remains) = (reason, remains)
    }
}

/// Secrets were taken out of an event before it was written.
package struct EventRedacted: EventPayload {
    package static let type = "event.redacted"

    package var targetEventID: EventID
    package var reason: String
    package var intendedRedactionLevel: RedactionLevel

    package init(targetEventID: EventID, reason: String, intendedRedactionLevel: RedactionLevel) {
        (self.targetEventID, self.reason, self.intendedRedactionLevel) = (targetEventID, reason, intendedRedactionLevel)
    }
}

/// What the scanner found, without the secrets.
package struct SecretLeakedDetected: EventPayload {
    package static let type = "secret.leaked.detected"

    package var sourceEventID: EventID
    package var sourceEventType: String
    package var scannerVersion: String
    package var matchCount: Int
    package var ruleIDs: [String]
    package var matches: [SecretMatch]
    /// How much was looked at: the payload's JSON as it came.
    package var scannedBytes: Int

    package init(
        sourceEventID: EventID, sourceEventType: String, scannerVersion: String, matchCount: Int, ruleIDs: [String],
        matches: [SecretMatch], scannedBytes: Int
    ) {
        (self.sourceEventID, self.sourceEventType, self.scannerVersion, self.matchCount) = (
            sourceEventID, sourceEventType, scannerVersion, matchCount
        )
        (self.ruleIDs, self.matches, self.scannedBytes) = (ruleIDs, matches, scannedBytes)
    }
}

/// Who holds external writes: the operator by command, or the environment by its variable.
package enum KillSwitchSource: String, CaseIterable, Codable, Sendable { case `operator`, environment }

/// One secret that was found: which rule, and a preview that does not give it away.
package struct SecretMatch: Hashable, Sendable, Codable {
    package var ruleID: String
    package var matchPreview: String

    package init(ruleID: String, matchPreview: String) { (self.ruleID, self.matchPreview) = (ruleID, matchPreview) }
}
