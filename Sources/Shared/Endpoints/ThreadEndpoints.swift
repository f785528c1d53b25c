import HTTP

// Threads and their messages.

extension Endpoint where Body == CreateThread, Answer == ThreadCreatedAnswer {
    package static var createThread: Self {
        .init(
            .post, "/v1/rooms/{room_id}/threads",
            "Opens a thread in the room. A repeat with the same `idempotency_key` is answered 200 with the first one.",
            .created, also: [.ok],
            refuses: RunClaim.refusals + [.roomNotFound, .missingTitle, .invalidIdempotencyKey, .idempotencyConflict],
            example: CreateThread(title: "Night shift"))
    }
}

extension Endpoint where Body == Nothing, Answer == ThreadList {
    package static var threads: Self {
        .init(
            .get, "/v1/rooms/{room_id}/threads", "The threads of the room, newest change first.",
            query: [.limit(50, max: 200), .cursor],
            refuses: [.roomNotFound, .engineRoomNotAllowed, .engineRoomScopeRequired])
    }
}

extension Endpoint where Body == Nothing, Answer == ThreadAnswer {
    package static var thread: Self {
        .init(
            .get, "/v1/threads/{thread_id}", "One thread.",
            refuses: [.threadNotFound, .engineRoomNotAllowed, .engineRoomScopeRequired])
    }
}

extension Endpoint where Body == PostMessage, Answer == MessageCreatedAnswer {
    package static var postMessage: Self {
        .init(
            .post, "/v1/threads/{thread_id}/messages",
            "Says something in the thread. A repeat with the same `idempotency_key` is answered 200 with the first one.",
            .created, also: [.ok],
            refuses: RunClaim.refusals + [
                .threadNotFound, .missingContent, .missingLang, .actorClaimMismatch, .invalidSchemaVersion,
                .parentMessageMismatch, .invalidIdempotencyKey, .idempotencyConflict,
            ], example: PostMessage(contentMd: "All **quiet**.", lang: "en"))
    }
}

extension Endpoint where Body == Nothing, Answer == MessageList {
    package static var messages: Self {
        .init(
            .get, "/v1/threads/{thread_id}/messages", "What was said in the thread, newest first.",
            query: [
                .limit(50, max: 200), .cursor,
                QueryParameter("before", .time, "Only messages recorded before this moment.", refusal: .invalidBefore),
            ], refuses: [.threadNotFound, .engineRoomNotAllowed, .engineRoomScopeRequired])
    }
}

extension Endpoint where Body == Nothing, Answer == MessageAnswer {
    package static var message: Self {
        .init(
            .get, "/v1/messages/{message_id}", "One message.",
            refuses: [.messageNotFound, .engineRoomNotAllowed, .engineRoomScopeRequired])
    }
}

/// For whom something is written: the members by which a body names the run, or the step of it, that its sender holds.
package enum RunClaim {
    package static let refusals: [ReasonCode] = [
        .runNotFound, .stepNotFound, .runRoomMismatch, .missingClaimToken, .leaseTokenMismatch, .leaseExpired,
        .engineRoomNotAllowed, .engineRoomScopeRequired,
    ]
}

/// A thread to open.
package struct CreateThread: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .required("title", .missingTitle, bytesMax: Limits.titleBytesMax),
        .text("status", bytesMax: Limits.nameBytesMax),
        .text("idempotency_key", bytesMax: Limits.nameBytesMax, .invalidIdempotencyKey),
    ]

    package var title: String?
    package var status: String?
    /// The run that opens it; an engine has to hold it.
    package var runID: RunID?
    package var stepID: StepID?
    package var claimToken: String?
    /// Unique in the room for ever.
    package var idempotencyKey: String?

    package init(
        title: String? = nil, status: String? = nil, runID: RunID? = nil, stepID: StepID? = nil,
        claimToken: String? = nil, idempotencyKey: String? = nil
    ) {
        (self.title, self.status, self.runID, self.stepID) = (title, status, runID, stepID)
        (self.claimToken, self.idempotencyKey) = (claimToken, idempotencyKey)
    }
}

/// The new thread, or the one that was there.
package struct ThreadCreatedAnswer: Codable, Hashable, Sendable {
    package var threadID: ThreadID

    package init(threadID: ThreadID) { self.threadID = threadID }
}

/// Threads, newest change first.
package struct ThreadList: PagedAnswer, Codable, Hashable, Sendable {
    package var threads: [RoomThread]
    package var nextCursor: String?

    package init(threads: [RoomThread], nextCursor: String? = nil) {
        (self.threads, self.nextCursor) = (threads, nextCursor)
    }
}

/// One thread.
package struct ThreadAnswer: Codable, Hashable, Sendable {
    package var thread: RoomThread

    package init(thread: RoomThread) { self.thread = thread }
}

/// Something to say.
package struct PostMessage: Codable, Hashable, Sendable, RuledBody {
    package static let rules: [FieldRule] = [
        .required("content_md", .missingContent, bytesMax: Message.contentBytesMax),
        .required("lang", .missingLang, bytesMax: Limits.nameBytesMax),
        .choice("sender_type", ActorType.allCases.map(\.rawValue)),
        .text("sender_id", bytesMax: Limits.nameBytesMax),
        .list("labels", itemsMax: Message.labelsMax, bytesMax: Message.labelBytesMax),
        .choice("schema_version", ["2.0", "2.1"], .invalidSchemaVersion),
        .text("idempotency_key", bytesMax: Limits.nameBytesMax, .invalidIdempotencyKey),
    ]

    /// Markdown.
    package var contentMd: String?
    package var lang: String?
    /// Who says it: what the credential says, and believed only in the header mode.
    package var senderType: String?
    package var senderID: String?
    /// The message of the same thread that this one answers.
    package var parentMessageID: MessageID?
    package var labels: [String]?
    package var schemaVersion: String?
    /// The run that says it; an engine has to hold it.
    package var runID: RunID?
    package var stepID: StepID?
    package var claimToken: String?
    /// Unique in the room for ever.
    package var idempotencyKey: String?

    package init(
        contentMd: String? = nil, lang: String? = nil, senderType: String? = nil, senderID: String? = nil,
        parentMessageID: MessageID? = nil, labels: [String]? = nil, schemaVersion: String? = nil, runID: RunID? = nil,
        stepID: StepID? = nil, claimToken: String? = nil, idempotencyKey: String? = nil
    ) {
        (self.contentMd, self.lang, self.senderType, self.senderID) = (contentMd, lang, senderType, senderID)
        (self.parentMessageID, self.labels, self.schemaVersion) = (parentMessageID, labels, schemaVersion)
        (self.runID, self.stepID, self.claimToken) = (runID, stepID, claimToken)
        self.idempotencyKey = idempotencyKey
    }
}

/// The new message, or the one that was there.
package struct MessageCreatedAnswer: Codable, Hashable, Sendable {
    package var messageID: MessageID

    package init(messageID: MessageID) { self.messageID = messageID }
}

/// Messages, newest first.
package struct MessageList: PagedAnswer, Codable, Hashable, Sendable {
    package var messages: [Message]
    package var nextCursor: String?

    package init(messages: [Message], nextCursor: String? = nil) {
        (self.messages, self.nextCursor) = (messages, nextCursor)
    }
}

/// One message.
package struct MessageAnswer: Codable, Hashable, Sendable {
    package var message: Message

    package init(message: Message) { self.message = message }
}
