import EventStore
import JSON
import Shared

/// What has to happen once events are committed: followers, waiting claims and engines hear of it, in the order of the
/// commits.
struct Aftermath: Sendable {
    let hub: EventHub
    let claims: ClaimQueue
    let controls: ControlHub
    let headFile: HeadFile
    let metrics: Metrics
    /// Nil where no other process writes: then this process's order is the log's.
    let tail: LogTail?

    /// Called on the writer's thread with what this process has committed.
    func committed(_ recorded: [Recorded<DomainEvent>]) {
        guard !recorded.isEmpty else { return }
        metrics.recorded(recorded)
        let events = recorded.map { CommittedEvent($0) }
        if let tail { tail.committed(events, deliver: deliver) } else { deliver(events) }
    }

    /// Every event of the log comes through here, once and in order.
    func deliver(_ events: [CommittedEvent]) {
        headFile.note(events.map(\.envelope))
        hub.publish(events)
        for case .system(.eventErased(let erased)) in events.map(\.event) { hub.forget(erased.targetEventID) }
        var claimable: [ClaimQueue.Offer] = []
        var mustTellEngines = false
        for event in events {
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

    private func offer(_ event: CommittedEvent, hasPlan: Bool?) -> ClaimQueue.Offer {
        ClaimQueue.Offer(workspace: event.envelope.workspaceID, room: event.envelope.roomID, hasPlan: hasPlan)
    }
}
