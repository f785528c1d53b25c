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

/// The new room.
package struct RoomCreatedAnswer: Codable, Hashable, Sendable {
    package var roomID: RoomID

    package init(roomID: RoomID) {
        self.roomID = roomID
    }
}

/// Rooms, newest change first.
package struct RoomList: Codable, Hashable, Sendable {
    package var rooms: [Room]
    package var nextCursor: String?

    package init(rooms: [Room], nextCursor: String? = nil) {
        (self.rooms, self.nextCursor) = (rooms, nextCursor)
    }
}
