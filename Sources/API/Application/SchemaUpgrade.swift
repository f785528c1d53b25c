import DatabaseCore
import DatabaseSQLite
import EventStore
import Platform
import Shared

/// What comes before an older database is brought up to date: a copy of it as it was, beside it.
enum SchemaUpgrade {
    /// Copies that are kept, the newest.
    static let copiesMax = 3
    /// Between the database's name and the schema it has.
    private static let mark = ".before-schema-"

    /// Copies a SQLite file whose schema is older than the program's, compares the copy with it row by row, and removes the
    /// oldest such copies. The upgrade itself is one transaction, so a failure leaves the file as it is.
    /// - Parameter onRemark: Told where the copy is.
    /// - Throws: ``DatabaseError``: `newerSchema` when this program must not touch the file, else why there is no copy; then
    ///   nothing may be changed.
    static func prepare(
        _ path: String, _ migrations: [Migration], at now: Timestamp, onRemark: (String) -> Void
    ) throws {
        guard let found = try SQLiteCopy.schemaVersion(of: path), found != migrations.count else { return }
        guard found < migrations.count else { throw newer(path, found, migrations.count) }
        let stamp = now.description.filter { $0.isNumber || $0 == "T" }.prefix(15)
        let copy = "\(path)\(mark)\(migrations.count).\(stamp)"
        let needed = (Files.status(path)?.sizeBytes ?? 0) + (Files.status("\(path)-wal")?.sizeBytes ?? 0)
        if let free = Files.freeBytes(Files.split(path).folder), free < 2 * needed + BackupFormat.reserveBytes {
            throw DatabaseError(
                .full,
                "the database has schema \(found) and is to be brought to \(migrations.count): its copy and the upgrade may need \(2 * needed + BackupFormat.reserveBytes) bytes, \(free) are free beside \(path)"
            )
        }
        if Files.exists(copy) { try Files.remove(copy) }
        try SQLiteCopy.make(of: path, at: copy, isCompared: true)
        onRemark(
            "the database has schema \(found), this is schema \(migrations.count): brought up to date; as it was it is in \(copy)"
        )
        try prune(path)
    }

    /// Names sort as times do, within one schema and, by the number, from one to the next.
    private static func prune(_ path: String) throws {
        let (folder, name) = Files.split(path)
        let copies = try Files.list(folder).filter { $0.hasPrefix(name + mark) }.map { "\(folder)/\($0)" }
        let byAge = copies.sorted { age($0) < age($1) }
        for copy in byAge.dropLast(copiesMax) { try Files.remove(copy) }
    }

    private static func age(_ path: String) -> Int64 { Files.status(path)?.modifiedMilliseconds ?? 0 }

    private static func newer(_ path: String, _ found: Int, _ known: Int) -> DatabaseError {
        let copies = (try? Files.list(Files.split(path).folder))?.filter { $0.hasPrefix(Files.split(path).name + mark) }
        let way =
            copies?.last.map {
                "or put \($0), the copy from before the upgrade, in its place (what came later is not in it)"
            }
            ?? "or restore a backup that this version made (`aos restore FILE`)"
        let writer = lastProgram(path).map { " and was last used by api \($0)" } ?? ""
        return DatabaseError(
            .newerSchema,
            "the database \(path) has schema \(found)\(writer); this is api \(ReleaseVersion.text), which knows schema \(known): install the newer version again, \(way). Nothing was changed"
        )
    }

    /// The newest program that says in the log that it was there.
    private static func lastProgram(_ path: String) -> String? {
        try? SQLiteReader(path: path).read { transaction in
            try transaction.first(
                """
                SELECT json_extract(data, '$.version') AS version FROM evt_events
                WHERE event_type = \(APIStarted.type) ORDER BY global_seq DESC LIMIT 1
                """
            ) { try $0.get("version", as: String.self) }
        }
    }
}
