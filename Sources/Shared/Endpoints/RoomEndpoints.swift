import HTTP

// Rooms.

extension Endpoint where Body == CreateRoom, Answer == RoomCreatedAnswer {
    package static var createRoom: Self {
        .init(
            .post, "/v1/rooms", "Opens a room.", .created, refuses: [.missingTitle],
            example: CreateRoom(
                title: "Night shift", roomMode: "default", defaultLang: "en", topic: "What the agents do while we sleep"
            ))
    }
}

extension Endpoint where Body == Nothing, Answer == RoomList {
    package static var rooms: Self {
        .init(.get, "/v1/rooms", "The rooms of the workspace, newest first.", query: [.limit(100, max: 100), .cursor])
    }
}

extension Endpoint where Body == Nothing, Answer == RoomAnswer {
    package static var room: Self {
        .init(.get, "/v1/rooms/{room_id}", "One room.", refuses: [.roomNotFound])
    }
}

extension Endpoint where Body == UpdateRoom, Answer == Done {
    package static var updateRoom: Self {
        .init(
            .post, "/v1/rooms/{room_id}/update",
            "Changes what is given; an empty `topic` or `tool_policy_ref` takes it away. No event if nothing changes.",
            refuses: [.roomNotFound, .missingTitle], example: UpdateRoom(topic: "Backups"))
    }
}

/// A room to open.
package struct CreateRoom: Codable, Hashable, Sendable {
    package var title: String?
    package var roomMode: String?
    package var defaultLang: String?
    package var topic: String?
    package var toolPolicyRef: String?
    package var missionID: String?

    package init(
        title: String? = nil, roomMode: String? = nil, defaultLang: String? = nil, topic: String? = nil,
        toolPolicyRef: String? = nil, missionID: String? = nil
    ) {
        (self.title, self.roomMode, self.defaultLang, self.topic) = (title, roomMode, defaultLang, topic)
        (self.toolPolicyRef, self.missionID) = (toolPolicyRef, missionID)
    }
}

/// What shall be different; a member that is not there stays as it is.
package struct UpdateRoom: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .text("title", bytesMax: Limits.titleBytesMax), .text("topic", bytesMax: Limits.textBytesMax),
        .text("room_mode", bytesMax: Limits.nameBytesMax), .text("default_lang", bytesMax: Limits.nameBytesMax),
        .text("tool_policy_ref", bytesMax: Limits.nameBytesMax),
    ]

    package var title: String?
    package var topic: String?
    package var roomMode: String?
    package var defaultLang: String?
    package var toolPolicyRef: String?

    package init(
        title: String? = nil, topic: String? = nil, roomMode: String? = nil, defaultLang: String? = nil,
        toolPolicyRef: String? = nil
    ) {
        (self.title, self.topic, self.roomMode, self.defaultLang) = (title, topic, roomMode, defaultLang)
        self.toolPolicyRef = toolPolicyRef
    }
}

/// One room.
package struct RoomAnswer: Codable, Hashable, Sendable {
    package var room: Room

    package init(room: Room) { self.room = room }
}

/// The new room.
package struct RoomCreatedAnswer: Codable, Hashable, Sendable {
    package var roomID: RoomID

    package init(roomID: RoomID) {
        self.roomID = roomID
    }
}

/// Rooms, newest change first.
package struct RoomList: PagedAnswer, Codable, Hashable, Sendable {
    package var rooms: [Room]
    package var nextCursor: String?

    package init(rooms: [Room], nextCursor: String? = nil) {
        (self.rooms, self.nextCursor) = (rooms, nextCursor)
    }
}
