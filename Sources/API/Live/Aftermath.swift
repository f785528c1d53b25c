import EventStore
import Shared

/// What has to happen once events are committed: followers, waiting claims and engines hear of it. Called on the
/// writer's thread, in the order of the commits.
struct Aftermath: Sendable {
    let hub: EventHub
    let claims: ClaimQueue
    let controls: ControlHub
    let headFile: HeadFile

    func committed(_ recorded: [Recorded<DomainEvent>]) {
        guard !recorded.isEmpty else { return }
        headFile.note(recorded)
        hub.publish(recorded)
        var claimable: [WorkspaceID: Int] = [:]
        var mustTellEngines = false
        for event in recorded {
            switch event.event {
            case .run(.created), .run(.requeued): claimable[event.envelope.workspaceID, default: 0] += 1
            case .run(.cancelRequested), .system(.killSwitchEngaged), .system(.killSwitchLifted): mustTellEngines = true
            default: break
            }
        }
        for (workspace, count) in claimable.sorted(by: { $0.key < $1.key }) { claims.wake(workspace, count: count) }
        if mustTellEngines { controls.wake() }
    }
}
