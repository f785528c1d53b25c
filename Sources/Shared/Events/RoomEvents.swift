/// What can happen to a room.
package enum RoomEvent: EventFamily {
    case created(RoomCreated)
    case updated(RoomUpdated)

    package static let members: [EventMember<RoomEvent>] = [
        .init(RoomEvent.created), .init(RoomEvent.updated),
    ]

    package var payload: any EventPayload {
        switch self {
        case .created(let payload): payload
        case .updated(let payload): payload
        }
    }
}

/// A room was opened; always the first event of its stream.
package struct RoomCreated: EventPayload {
    package static let type = "room.created"

    package var title: String
    package var topic: String?
    package var roomMode: String
    package var defaultLang: String
    package var toolPolicyRef: String?

    package init(
        title: String, topic: String? = nil, roomMode: String, defaultLang: String, toolPolicyRef: String? = nil
    ) {
        (self.title, self.topic, self.roomMode, self.defaultLang) = (title, topic, roomMode, defaultLang)
        self.toolPolicyRef = toolPolicyRef
    }
}

/// What of a room was changed; nil is unchanged, and an empty topic or policy is none.
package struct RoomUpdated: EventPayload {
    package static let type = "room.updated"

    package var title: String?
    package var topic: String?
    package var roomMode: String?
    package var defaultLang: String?
    package var toolPolicyRef: String?

    package init(
        title: String? = nil, topic: String? = nil, roomMode: String? = nil, defaultLang: String? = nil,
        toolPolicyRef: String? = nil
    ) {
        self.title = title
        self.topic = topic
        self.roomMode = roomMode
        self.defaultLang = defaultLang
        self.toolPolicyRef = toolPolicyRef
    }
}
