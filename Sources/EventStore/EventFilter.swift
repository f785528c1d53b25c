package import Shared

/// Which events a reader wants; all conditions hold together.
package struct EventFilter: Sendable {
    /// Nil reads over all workspaces (verification, rebuild).
    package var workspaces: [WorkspaceID]?
    package var stream: StreamID?
    /// With a stream: only events after this number of it.
    package var afterStreamSeq: Int64?
    package var afterGlobalSeq: Int64 = 0
    /// The last event that may be among them.
    package var throughGlobalSeq: Int64?
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var runID: RunID?
    package var stepID: StepID?
    package var correlationID: String?
    package var eventTypes: [String] = []
    package var actorType: ActorType?
    package var actorID: String?
    /// What the event is about: `data.agent_id`.
    package var subjectAgentID: String?
    /// Who did it, or whom it is about: `data.principal_id`, `data.issued_to_principal_id`.
    package var subjectPrincipalID: String?

    package init(workspaces: [WorkspaceID]? = nil) { self.workspaces = workspaces }
}
