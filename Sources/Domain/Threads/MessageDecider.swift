package import Shared

/// Messages: said once, and never changed.
package enum MessageDecider {
    /// - Parameter parent: What ``PostMessage/parentMessageID`` names, if it is there.
    package static func post(
        _ id: MessageID, _ request: PostMessage, in thread: RoomThread, parent: Message?, for run: RunPlace?,
        correlationID: String, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        guard let content = request.contentMd, Limits.trimmed(content) != nil else {
            throw .field("content_md", .missingContent, "content_md is required and must not be blank")
        }
        try Limits.check(content, "content_md", bytesMax: Message.contentBytesMax)
        let lang = try Limits.require(request.lang, "lang", bytesMax: Limits.nameBytesMax, .missingLang)
        if let parentID = request.parentMessageID, parent?.threadID != thread.threadID {
            throw .field(
                "parent_message_id", .parentMessageMismatch,
                "parent_message_id: no message \(parentID.rawValue.prefix(100)) in this thread")
        }
        let scope = EventScope(
            workspaceID: thread.workspaceID, roomID: thread.roomID, threadID: thread.threadID,
            runID: run?.run.runID, stepID: run?.step?.stepID, correlationID: run?.run.correlationID ?? correlationID)
        let created = MessageCreated(
            messageID: id, senderType: facts.actor.actorType.rawValue, senderID: facts.actor.actorID,
            contentMd: content, lang: lang, parentMessageID: request.parentMessageID,
            labels: request.labels.flatMap { $0.isEmpty ? nil : $0 })
        return EventDraft(
            .thread(.messageCreated(created)), in: scope, by: facts.actor, causedBy: run?.lastEventID,
            idempotencyKey: request.idempotencyKey)
    }

    /// The one fold over a message's events.
    package static func evolve(_ message: Message?, _ recorded: Recorded<ThreadEvent>) -> Message? {
        let envelope = recorded.envelope
        guard case .messageCreated(let created) = recorded.event, let threadID = envelope.threadID,
            let roomID = envelope.roomID
        else { return message }
        var message = Message(
            messageID: created.messageID, workspaceID: envelope.workspaceID, roomID: roomID, threadID: threadID,
            streamSeq: envelope.streamSeq, at: recorded.at)
        (message.senderType, message.senderID) = (created.senderType, created.senderID)
        (message.contentMd, message.lang) = (created.contentMd, created.lang)
        (message.parentMessageID, message.labels) = (created.parentMessageID, created.labels ?? [])
        (message.runID, message.stepID) = (envelope.runID, envelope.stepID)
        message.lastEventID = envelope.eventID
        return message
    }
}
