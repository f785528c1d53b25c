/// What can happen to a thread and its messages.
package enum ThreadEvent: EventFamily {
    case created(ThreadCreated)
    case messageCreated(MessageCreated)

    package static let members: [EventMember<ThreadEvent>] = [
        .init(ThreadEvent.created), .init(ThreadEvent.messageCreated),
    ]

    package var payload: any EventPayload {
        switch self {
        case .created(let payload): payload
        case .messageCreated(let payload): payload
        }
    }
}

/// A conversation was opened in a room; the thread is named by the envelope.
package struct ThreadCreated: EventPayload {
    package static let type = "thread.created"

    package var title: String
    package var status: String

    package init(title: String, status: String) {
        self.title = title
        self.status = status
    }
}

/// Somebody said something.
package struct MessageCreated: EventPayload {
    package static let type = "message.created"

    package var messageID: MessageID
    package var senderType: String
    package var senderID: String
    package var contentMd: String
    package var lang: String
    package var parentMessageID: MessageID?
    package var labels: [String]?

    package init(
        messageID: MessageID, senderType: String, senderID: String, contentMd: String, lang: String,
        parentMessageID: MessageID? = nil, labels: [String]? = nil
    ) {
        self.messageID = messageID
        self.senderType = senderType
        self.senderID = senderID
        self.contentMd = contentMd
        self.lang = lang
        self.parentMessageID = parentMessageID
        self.labels = labels
    }
}
