package import DatabaseCore
import Domain
import EventStore
package import Shared

/// `proj_rooms`: all the SQL that touches it is in this file.
package enum RoomTable {
    static let table = Table<Room>(
        "proj_rooms", keys: ["room_id"], remembersRows: true,
        blank: Room(roomID: "", workspaceID: "", title: "", at: .zero),
        columns: [
            Column("room_id", \.roomID),
            Column("workspace_id", \.workspaceID),
            Column("mission_id", \.missionID),
            Column("title", \.title),
            Column("topic", \.topic),
            Column("room_mode", \.roomMode),
            Column("default_lang", \.defaultLang),
            Column("tool_policy_ref", \.toolPolicyRef),
            Column("created_at", \.createdAt),
            Column("updated_at", \.updatedAt),
            Column("last_event_id", \.lastEventID),
        ],
        indexes: ["CREATE INDEX proj_rooms_by_update ON proj_rooms (workspace_id, updated_at)"])

    static let projector = Projector(table) { recorded, transaction in
        guard case .room(let event) = recorded.event else { return }
        try table.fold(recorded.envelope.roomID, in: transaction) { RoomDecider.evolve($0, recorded.with(event)) }
    }

    /// The room, if it is in the workspace.
    package static func find(_ id: RoomID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws
        -> Room?
    {
        try table.find(id, in: workspace, transaction)
    }

    /// The workspace's rooms, newest change first.
    package static func list(
        in workspace: WorkspaceID, after cursor: ListCursor?, limit: Int, _ transaction: any ReadTransaction
    ) throws -> [Room] {
        try table.page(in: workspace, newestBy: "updated_at", after: cursor, limit: limit, transaction)
    }
}

extension Timestamp {
    static let zero = Timestamp(milliseconds: 0)
}
