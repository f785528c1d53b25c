import DatabaseCore
import DatabaseSQLite
import EventStore
import Projectors
import TestSupport

extension TestAPI {
    /// Writes to the database of an api that is stopped.
    func withStoppedDatabase(_ work: @escaping @Sendable (any WriteTransaction) throws -> Void) throws {
        let migrations = [EventTable.migration, ProjectorCatalogue.migration, Migration(3, "applied", sqlite: [])]
        let database = try SQLiteDatabase(path: "\(folder.path)/aos.db", migrations: migrations) { _ in }
        defer { database.close() }
        try database.writeAndWait(work)
    }

    /// Does to a stopped api's tables what only an accident does.
    func damage(_ statement: String) throws {
        try withStoppedDatabase { _ = try $0.execute(SQL(unsafeText: statement)) }
    }
}
