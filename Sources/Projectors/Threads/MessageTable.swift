package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_messages`: all the SQL that touches it is in this file.
package enum MessageTable {
    static let table = Table<Message>(
        "proj_messages", keys: ["message_id"],
        blank: Message(messageID: "", workspaceID: "", roomID: "", threadID: "", streamSeq: 0, at: .zero),
        columns: [
            Column("message_id", \.messageID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("thread_id", \.threadID),
            Column("sender_type", \.senderType),
            Column("sender_id", \.senderID),
            Column("content_md", \.contentMd),
            Column("lang", \.lang),
            Column("parent_message_id", \.parentMessageID),
            Column("run_id", \.runID),
            Column("step_id", \.stepID),
            Column(json: "labels", \.labels),
            Column("stream_seq", \.streamSeq),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("deleted", \.deleted),
            Column("last_event_id", \.lastEventID),
        ],
        // A thread is in one room, so its messages have one order: that of the room's stream.
        indexes: ["CREATE INDEX proj_messages_by_thread ON proj_messages (thread_id, stream_seq)"])

    static let projector = Projector(table) { recorded, transaction in
        guard case .thread(.messageCreated(let created)) = recorded.event else { return }
        try table.fold(created.messageID, isNew: true, in: transaction) {
            MessageDecider.evolve($0, recorded.with(.messageCreated(created)))
        }
    }

    /// The message, if it is in the workspace.
    package static func find(
        _ id: MessageID, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> Message? {
        try table.find(id, in: workspace, transaction)
    }

    /// The thread's messages, newest first.
    /// - Parameters:
    ///   - time: Only messages recorded before it.
    ///   - seq: Only messages before this number of the room's stream.
    package static func list(
        of thread: ThreadID, before time: Timestamp?, beforeSeq seq: Int64?, limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Message] {
        var condition: SQL = " WHERE thread_id = \(thread)"
        if let time { condition.append(" AND created_at < \(time)") }
        if let seq { condition.append(" AND stream_seq < \(seq)") }
        condition.append(" ORDER BY stream_seq DESC LIMIT \(limit)")
        return try table.all(where: condition, in: transaction)
    }
}
