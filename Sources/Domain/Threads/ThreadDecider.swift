package import Shared

/// Threads: opened in a room, and moved by what is said in them.
package enum ThreadDecider {
    /// - Parameter run: The run that opens the thread, if one does, and its step.
    package static func create(
        _ id: ThreadID, _ request: CreateThread, in room: Room, for run: RunPlace?, correlationID: String,
        _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        let title = try Limits.require(request.title, "title", bytesMax: Limits.titleBytesMax, .missingTitle)
        let scope = EventScope(
            workspaceID: room.workspaceID, missionID: room.missionID, roomID: room.roomID, threadID: id,
            runID: run?.run.runID, stepID: run?.step?.stepID,
            correlationID: run?.run.correlationID ?? correlationID)
        let created = ThreadCreated(
            title: title, status: Limits.trimmed(request.status) ?? RoomThread.statusDefault)
        return EventDraft(
            .thread(.created(created)), in: scope, by: facts.actor, causedBy: run?.lastEventID,
            idempotencyKey: request.idempotencyKey)
    }

    /// The one fold over a thread's events.
    package static func evolve(_ thread: RoomThread?, _ recorded: Recorded<ThreadEvent>) -> RoomThread? {
        let envelope = recorded.envelope
        switch recorded.event {
        case .created(let created):
            guard let id = envelope.threadID, let roomID = envelope.roomID else { return thread }
            var thread = RoomThread(
                threadID: id, workspaceID: envelope.workspaceID, roomID: roomID, title: created.title, at: recorded.at)
            (thread.status, thread.lastEventID) = (created.status, envelope.eventID)
            return thread
        case .messageCreated:
            guard var thread else { return nil }
            (thread.updatedAt, thread.lastEventID) = (recorded.at, envelope.eventID)
            return thread
        }
    }
}

/// The run that something is written for, and the step of it, if one is named.
package struct RunPlace: Sendable {
    package var run: Run
    package var step: Step?

    package init(run: Run, step: Step? = nil) { (self.run, self.step) = (run, step) }

    /// What last happened there: the cause of what is written.
    package var lastEventID: EventID? { step?.lastEventID ?? run.lastEventID }

    /// A run speaks in its own room: what it says elsewhere would be in no history of its own.
    package func require(room: RoomID) throws(Rejection) {
        guard run.roomID == room else {
            throw .field(
                "run_id", .runRoomMismatch, "the run is in room \(run.roomID?.rawValue ?? "none"), not in \(room)")
        }
    }
}
