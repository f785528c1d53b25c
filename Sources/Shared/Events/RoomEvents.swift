/// What can happen to a room.
package enum RoomEvent: EventFamily {
    case created(RoomCreated)

    package static let members: [EventMember<RoomEvent>] = [
        .init(RoomEvent.created)
    ]

    package var payload: any EventPayload {
        switch self {
        case .created(let payload): payload
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
