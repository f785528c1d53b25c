package import Shared

/// The kill switch: engaged while the operator or the environment says so.
package enum KillSwitchDecider {
    package static func set(
        _ state: KillSwitch, _ engaged: Bool, source: KillSwitchSource, reason: String?, correlationID: String,
        _ facts: CommandFacts
    ) throws(Rejection) -> [EventDraft] {
        try Limits.check(reason, "reason", bytesMax: Limits.textBytesMax)
        let before =
            switch source {
            case .operator: state.engagedByOperator
            case .environment: state.engagedByEnvironment
            }
        guard before != engaged else { return [] }
        let epoch = state.epoch + 1
        let event: SystemEvent =
            engaged
            ? .killSwitchEngaged(KillSwitchEngaged(source: source, reason: reason, epoch: epoch))
            : .killSwitchLifted(KillSwitchLifted(source: source, reason: reason, epoch: epoch))
        let scope = EventScope(workspaceID: .system, correlationID: correlationID)
        return [EventDraft(.system(event), in: scope, by: facts.actor)]
    }

    package static func evolve(_ state: KillSwitch?, _ recorded: Recorded<SystemEvent>) -> KillSwitch? {
        var state = state ?? KillSwitch()
        let change: (source: KillSwitchSource, engaged: Bool, reason: String?, epoch: Int64)
        switch recorded.event {
        case .killSwitchEngaged(let event): change = (event.source, true, event.reason, event.epoch)
        case .killSwitchLifted(let event): change = (event.source, false, event.reason, event.epoch)
        case .apiStarted, .apiStopped, .configurationReloaded, .eventErased, .eventRedacted, .secretLeakedDetected:
            return state
        }
        switch change.source {
        case .operator: state.engagedByOperator = change.engaged
        case .environment: state.engagedByEnvironment = change.engaged
        }
        (state.epoch, state.reason, state.changedAt) = (change.epoch, change.reason, recorded.at)
        (state.changedByType, state.changedByID) = (recorded.envelope.actor.actorType, recorded.envelope.actor.actorID)
        return state
    }
}
