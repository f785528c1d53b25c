import EventStore
import JSON
import Shared

/// What has to happen once events are committed: followers, waiting claims and engines hear of it. Called on the
/// writer's thread, in the order of the commits.
struct Aftermath: Sendable {
    let hub: EventHub
    let claims: ClaimQueue
    let controls: ControlHub
    let headFile: HeadFile
    let metrics: Metrics

    func committed(_ recorded: [Recorded<DomainEvent>]) {
        guard !recorded.isEmpty else { return }
        headFile.note(recorded)
        metrics.recorded(recorded)
        hub.publish(recorded)
        var claimable: [ClaimQueue.Offer] = []
        var mustTellEngines = false
        for event in recorded {
            switch event.event {
            case .run(.created(let created)): claimable.append(offer(event, hasPlan: created.input?["plan"] != nil))
            case .run(.requeued): claimable.append(offer(event, hasPlan: nil))
            case .run(.cancelRequested), .system(.killSwitchEngaged), .system(.killSwitchLifted): mustTellEngines = true
            default: break
            }
        }
        if !claimable.isEmpty { claims.wake(claimable) }
        if mustTellEngines { controls.wake() }
    }

    private func offer(_ event: Recorded<DomainEvent>, hasPlan: Bool?) -> ClaimQueue.Offer {
        ClaimQueue.Offer(workspace: event.envelope.workspaceID, room: event.envelope.roomID, hasPlan: hasPlan)
    }
}
