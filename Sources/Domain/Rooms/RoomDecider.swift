package import Shared

/// Rooms: opened once, and then a place for streams.
package enum RoomDecider {
    package static func create(
        _ id: RoomID, _ request: CreateRoom, in workspace: WorkspaceID, correlationID: String, _ facts: CommandFacts
    ) throws(Rejection) -> Decision<RoomID> {
        let title = try Limits.require(request.title, "title", bytesMax: Limits.titleBytesMax, .missingTitle)
        try Limits.check(request.topic, "topic", bytesMax: Limits.textBytesMax)
        try Limits.check(request.roomMode, "room_mode", bytesMax: Limits.nameBytesMax)
        try Limits.check(request.defaultLang, "default_lang", bytesMax: Limits.nameBytesMax)
        try Limits.check(request.toolPolicyRef, "tool_policy_ref", bytesMax: Limits.nameBytesMax)
        try Limits.check(request.missionID, "mission_id", bytesMax: Limits.nameBytesMax)
        let scope = EventScope(
            workspaceID: workspace, missionID: request.missionID, roomID: id, correlationID: correlationID)
        let created = RoomCreated(
            title: title, topic: request.topic, roomMode: Limits.trimmed(request.roomMode) ?? "default",
            defaultLang: Limits.trimmed(request.defaultLang) ?? "en", toolPolicyRef: request.toolPolicyRef)
        return Decision([EventDraft(.room(.created(created)), in: scope, by: facts.actor)], id)
    }

    /// - Returns: Nil when everything is as it shall be already.
    package static func update(
        _ room: Room, _ request: UpdateRoom, correlationID: String, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft? {
        var updated = RoomUpdated()
        if let title = request.title {
            updated.title = change(
                of: room.title, to: try Limits.require(title, "title", bytesMax: Limits.titleBytesMax, .missingTitle))
        }
        updated.topic = change(of: room.topic ?? "", to: request.topic.map { Limits.trimmed($0) ?? "" })
        updated.roomMode = change(of: room.roomMode, to: Limits.trimmed(request.roomMode))
        updated.defaultLang = change(of: room.defaultLang, to: Limits.trimmed(request.defaultLang))
        updated.toolPolicyRef = change(
            of: room.toolPolicyRef ?? "", to: request.toolPolicyRef.map { Limits.trimmed($0) ?? "" })
        guard updated != RoomUpdated() else { return nil }
        let scope = EventScope(
            workspaceID: room.workspaceID, missionID: room.missionID, roomID: room.roomID, correlationID: correlationID)
        return EventDraft(.room(.updated(updated)), in: scope, by: facts.actor, causedBy: room.lastEventID)
    }

    /// The new text if it is another one.
    private static func change(of old: String, to new: String?) -> String? { new == old ? nil : new }

    /// The one fold over a room's events.
    package static func evolve(_ room: Room?, _ recorded: Recorded<RoomEvent>) -> Room? {
        switch recorded.event {
        case .created(let created):
            guard let id = recorded.envelope.roomID else { return room }
            var room = Room(
                roomID: id, workspaceID: recorded.envelope.workspaceID, title: created.title, at: recorded.at)
            (room.missionID, room.topic) = (recorded.envelope.missionID, created.topic)
            (room.roomMode, room.defaultLang) = (created.roomMode, created.defaultLang)
            (room.toolPolicyRef, room.lastEventID) = (created.toolPolicyRef, recorded.envelope.eventID)
            return room
        case .updated(let updated):
            guard var room else { return nil }
            room.title = updated.title ?? room.title
            if let topic = updated.topic { room.topic = topic.isEmpty ? nil : topic }
            room.roomMode = updated.roomMode ?? room.roomMode
            room.defaultLang = updated.defaultLang ?? room.defaultLang
            if let policy = updated.toolPolicyRef { room.toolPolicyRef = policy.isEmpty ? nil : policy }
            (room.updatedAt, room.lastEventID) = (recorded.at, recorded.envelope.eventID)
            return room
        }
    }
}
