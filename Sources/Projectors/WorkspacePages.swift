import DatabaseCore
package import Shared

/// A record of one workspace, and of no other.
package protocol InWorkspace {
    var workspaceID: WorkspaceID { get }
}

extension Table where Record: InWorkspace {
    /// The record with this key, if it is in the workspace.
    func find(
        _ key: some SQLStorable, in workspace: WorkspaceID, _ transaction: any ReadTransaction
    ) throws -> Record? {
        try find(key, in: transaction).flatMap { $0.workspaceID == workspace ? $0 : nil }
    }

    /// A page of the workspace's records, newest first; the key decides between records of one moment.
    /// - Parameter conditions: What must also hold; a nil one holds for all.
    func page(
        in workspace: WorkspaceID, where conditions: [SQL?] = [], newestBy time: String, after cursor: ListCursor?,
        limit: Int, _ transaction: any ReadTransaction
    ) throws -> [Record] {
        try page(where: ["workspace_id = \(workspace)"] + conditions, newestBy: time, after: cursor, limit, transaction)
    }
}

extension Table {
    /// The same of what the first condition belongs to.
    func page(
        where conditions: [SQL?], newestBy time: String, after cursor: ListCursor?, _ limit: Int,
        _ transaction: any ReadTransaction
    ) throws -> [Record] {
        var statement: SQL = ""
        for condition in conditions.compactMap(\.self) {
            statement.append(statement.text.isEmpty ? " WHERE " : " AND ")
            statement.append(condition)
        }
        statement.append(cursor.map { $0.condition(time: time, id: keys[0]) } ?? "")
        // Column names are the code's own.
        statement.append(
            SQL(unsafeText: " ORDER BY \(time) DESC, \(keys[0]) DESC LIMIT $1", bindings: [limit.sqlValue]))
        return try all(where: statement, in: transaction)
    }
}

extension Approval: InWorkspace {}
extension Artifact: InWorkspace {}
extension Constraint: InWorkspace {}
extension Experiment: InWorkspace {}
extension Incident: InWorkspace {}
extension Lesson: InWorkspace {}
extension Message: InWorkspace {}
extension Redaction: InWorkspace {}
extension Room: InWorkspace {}
extension RoomThread: InWorkspace {}
extension Run: InWorkspace {}
extension Scorecard: InWorkspace {}
extension Step: InWorkspace {}
extension ToolCall: InWorkspace {}
