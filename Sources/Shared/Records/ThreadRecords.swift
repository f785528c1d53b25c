/// A conversation in a room. (`Thread` is the operating system's.)
package struct RoomThread: Hashable, Sendable, Codable {
    package var threadID: ThreadID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID
    package var title: String
    /// Free text; `open` unless somebody said otherwise.
    package var status: String
    package var createdAt: Timestamp
    /// Moves with every message.
    package var updatedAt: Timestamp
    package var lastEventID: EventID?

    package init(threadID: ThreadID, workspaceID: WorkspaceID, roomID: RoomID, title: String, at time: Timestamp) {
        (self.threadID, self.workspaceID, self.roomID, self.title) = (threadID, workspaceID, roomID, title)
        (status, createdAt, updatedAt) = (Self.statusDefault, time, time)
    }

    package static let statusDefault = "open"
}

/// What somebody said in a thread.
package struct Message: Hashable, Sendable, Codable {
    package var messageID: MessageID
    package var workspaceID: WorkspaceID
    package var roomID: RoomID
    package var threadID: ThreadID
    package var senderType: String
    package var senderID: String
    package var contentMd: String
    package var lang: String
    package var parentMessageID: MessageID?
    /// The run that wrote it, and its step.
    package var runID: RunID?
    package var stepID: StepID?
    package var labels: [String]
    /// Its place in the room's stream, as the stream's `id:` says it: messages of one millisecond have an order too.
    package var streamSeq: Int64
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var deleted: Bool
    package var lastEventID: EventID?

    package init(
        messageID: MessageID, workspaceID: WorkspaceID, roomID: RoomID, threadID: ThreadID, streamSeq: Int64,
        at time: Timestamp
    ) {
        (self.messageID, self.workspaceID, self.roomID, self.threadID) = (messageID, workspaceID, roomID, threadID)
        (senderType, senderID, contentMd, lang, labels) = ("", "", "", "", [])
        (self.streamSeq, createdAt, updatedAt, deleted) = (streamSeq, time, time, false)
    }

    package static let contentBytesMax = 64 << 10
    package static let labelsMax = 20
    package static let labelBytesMax = 100
}
