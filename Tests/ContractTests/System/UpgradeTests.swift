import API
import APIClient
import DatabaseCore
import EventStore
import HTTP
import JSON
import Platform
import PostgresTestSupport
import Shared
import TestSupport
import Testing

/// What happens to a database of another version.
@Suite("An upgrade", .enabled(if: TestBackends.chosen == .sqlite))
struct UpgradeTests {
    private static let previous = Array(Storage.migrations.dropLast())

    /// Puts a database of the schema before this one in the place of the api's.
    private func makeOlder(_ api: TestAPI, _ migrations: [Migration] = previous) throws {
        for name in ["aos.db", "aos.db-wal", "aos.db-shm"] { try Files.remove("\(api.folder.path)/\(name)") }
        try Files.removeTree("\(api.folder.path)/audit")
        let database = try Storage.open(api.storage, migrations: migrations)
        defer { database.close() }
        let log = EventLog { SystemEntropy().bytes($0) }
        try database.writeAndWait { transaction in
            let scope = EventScope(workspaceID: .system, correlationID: "c")
            let started = SystemEvent.apiStarted(APIStarted(version: "0.0.9", recoveredLeases: 0))
            _ = try log.append(
                [EventDraft(.system(started), in: scope, by: .api)], at: Timestamp(milliseconds: 1), in: transaction)
        }
    }

    private func copies(_ api: TestAPI) throws -> [String] {
        try Files.list(api.folder.path).filter {
            $0.hasPrefix("aos.db.before-schema-") && !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm")
        }
    }

    @Test("of an older database keeps a copy of it as it was, and says so")
    func older() throws {
        try withAPI(settings: ["AOS_LOG_LEVEL": "info"]) { api in
            #expect(try copies(api) == [])
            try api.restart { try makeOlder(api) }
            let made = try copies(api)
            #expect(made.count == 1 && made[0].hasPrefix("aos.db.before-schema-\(Storage.schemaVersion)."))
            #expect(api.logLines.contains { $0.contains("as it was it is in") && $0.contains(made[0]) })
            let kept = try Storage.open(
                .sqlite(path: "\(api.folder.path)/\(made[0])"), migrations: Self.previous, keepsCopy: false)
            #expect(try kept.schemaVersion() == Storage.schemaVersion - 1)
            #expect(try kept.read { try EventQueries.lastGlobalSeq(in: $0) } == 1)
            kept.close()
            // What is up to date is not copied again.
            try api.restart()
            #expect(try copies(api) == made)
        }
    }

    @Test("keeps the newest copies only")
    func pruned() throws {
        try withAPI { api in
            for _ in 1...5 {
                try api.restart {
                    try makeOlder(api)
                    for name in try copies(api) {
                        // Names have the second in them: as if each were older.
                        try Files.rename("\(api.folder.path)/\(name)", to: "\(api.folder.path)/\(name)0")
                    }
                }
            }
            #expect(try copies(api).count == 3)
        }
    }

    @Test("that fails leaves the old database as it is")
    func failing() throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/aos.db"
        try Storage.open(.sqlite(path: path), migrations: Self.previous).close()
        let next = Storage.migrations.count
        let broken =
            Self.previous + [
                Migration(next, "good", sqlite: ["CREATE TABLE good (a TEXT) STRICT"], postgres: []),
                Migration(next + 1, "broken", sqlite: ["CREATE TABLE broken (nonsense"], postgres: []),
            ]
        #expect(throws: DatabaseError.self) { try Storage.open(.sqlite(path: path), migrations: broken) }
        let database = try Storage.open(.sqlite(path: path), migrations: Self.previous)
        defer { database.close() }
        #expect(try database.schemaVersion() == Self.previous.count)
        let tables = try database.read {
            try $0.all("SELECT name FROM sqlite_schema WHERE name = 'good'") { try $0.get("name", as: String.self) }
        }
        #expect(tables == [])
    }

    @Test("backwards is refused with both versions and what to do, and changes nothing")
    func newer() throws {
        try withAPI { api in
            let newer =
                Storage.migrations + [
                    Migration(
                        Storage.schemaVersion + 1, "later", sqlite: ["CREATE TABLE later (a TEXT) STRICT"], postgres: []
                    )
                ]
            api.stop()
            try Storage.open(api.storage, migrations: newer).close()
            let bytes = try Files.read("\(api.folder.path)/aos.db", bytesMax: 1 << 28)
            let error = #expect(throws: DatabaseError.self) { try api.restart() }
            #expect(error?.kind == .newerSchema)
            for part in [
                "schema \(Storage.schemaVersion + 1)",
                "api \(ReleaseVersion.text), which knows schema \(Storage.schemaVersion)",
                "last used by api \(ReleaseVersion.text)", "install the newer version again", "aos.db.before-schema-",
            ] {
                #expect(error?.message.contains(part) == true, "\(part) is not in: \(error?.message ?? "")")
            }
            #expect(try Files.read("\(api.folder.path)/aos.db", bytesMax: 1 << 28) == bytes)
            // The way back that the message names.
            let copy = try #require(try copies(api).first)
            for name in ["aos.db", "aos.db-wal", "aos.db-shm"] { try Files.remove("\(api.folder.path)/\(name)") }
            try Files.rename("\(api.folder.path)/\(copy)", to: "\(api.folder.path)/aos.db")
            try api.restart()
        }
    }

    @Test("of an older backup happens while it is restored; a newer one is refused")
    func backups() throws {
        try withAPI { api in
            try api.restart { try makeOlder(api) }
            let answer = try api.operator.post("/v1/system/backup", [:])
            let folder = try TemporaryFolder()
            try Files.writeAtomically(answer.response.body, to: "\(folder.path)/b.tar")
            #expect(try BackupFile.rehearse("\(folder.path)/b.tar").backup.schemaVersion == Storage.schemaVersion)
        }
    }
}
