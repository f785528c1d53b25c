import API
import DatabaseCore
import TestSupport

extension TestAPI {
    /// Writes to the database of an api that is stopped.
    func withStoppedDatabase(_ work: @escaping @Sendable (any WriteTransaction) throws -> Void) throws {
        let database = try Storage.open(storage)
        defer { database.close() }
        try database.writeAndWait(work)
    }

    /// Does to a stopped api's tables what only an accident does.
    func damage(_ statement: String) throws {
        try withStoppedDatabase { try $0.execute(SQL(unsafeText: statement)) }
    }
}
