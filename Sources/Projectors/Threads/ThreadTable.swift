package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_threads`: all the SQL that touches it is in this file.
package enum ThreadTable {
    static let table = Table<RoomThread>(
        "proj_threads", keys: ["thread_id"], remembersRows: true,
        blank: RoomThread(threadID: "", workspaceID: "", roomID: "", title: "", at: .zero),
        columns: [
            Column("thread_id", \.threadID),
            Column("workspace_id", \.workspaceID),
            Column("room_id", \.roomID),
            Column("title", \.title),
            Column("status", \.status),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: ["CREATE INDEX proj_threads_by_update ON proj_threads (room_id, updated_at, thread_id)"])

    static let projector = Projector(table) { recorded, transaction in
        guard case .thread(let event) = recorded.event else { return }
        try table.fold(recorded.envelope.threadID, in: transaction) { ThreadDecider.evolve($0, recorded.with(event)) }
    }

    /// The thread, if it is in the workspace.
    package static func find(
        _ id: ThreadID, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> RoomThread? {
        try table.find(id, in: workspace, transaction)
    }

    /// The room's threads, newest change first.
    package static func list(
        of room: RoomID, after cursor: ListCursor?, limit: Int, _ transaction: any ReadTransaction
    ) throws -> [RoomThread] {
        try table.page(where: ["room_id = \(room)"], newestBy: "updated_at", after: cursor, limit, transaction)
    }
}
