import API
import Shared
import Testing

/// `DATABASE_URL` and its like.
struct StorageSettingsTests {
    private func read(_ environment: [String: String]) throws -> APIConfiguration {
        try APIConfiguration.read(environment: environment.merging(["AOS_DATA_DIR": "/tmp/data"]) { $1 })
    }

    @Test("Without a setting there is a file in the data directory; one may be named")
    func sqlite() throws {
        #expect(try read([:]).storage.url == "sqlite:/tmp/data/aos.db")
        #expect(try read(["DATABASE_URL": "sqlite:/srv/a.db"]).storage.url == "sqlite:/srv/a.db")
        #expect(try read([:]).blobsDirectory == "/tmp/data/blobs")
        #expect(try read(["AOS_BLOBS_DIR": "/srv/blobs"]).blobsDirectory == "/srv/blobs")
    }

    @Test("What is no database is refused, with what would be one and without its password")
    func refused() {
        for url in ["mysql://a:secret@b/c", "postgres", "postgres://u:secret@h:port/d?no_such_option=1", ""] {
            guard !url.isEmpty else { continue }
            let faults = #expect(throws: SettingFaults.self) { try read(["DATABASE_URL": url]) }
            #expect(faults?.faults.count == 1 && faults?.faults.first?.name == "DATABASE_URL")
            #expect(faults?.faults.first?.allowed.contains("sqlite:PATH") == true)
            #expect(faults?.faults.first?.seen.contains("secret") == false, "\(url)")
        }
    }

    @Test(
        "A URL is shown without its password, wherever that stands",
        arguments: [
            ("postgres://aos:secret@db/aos", "postgres://aos:(hidden)@db/aos"),
            (
                "postgres://aos:se:cr@t@db:5432/aos?sslmode=require",
                "postgres://aos:(hidden)@db:5432/aos?sslmode=require"
            ),
            ("postgres://aos@db/aos", "postgres://aos@db/aos"),
            ("postgres:///aos?host=/run", "postgres:///aos?host=/run"),
            ("postgres://aos@db/aos?password=secret", "postgres://aos@db?(hidden)"),
            ("postgres://aos:x@db/aos?password=secret", "postgres://aos:(hidden)@db/aos?(hidden)"),
            ("sqlite:/srv/aos.db", "sqlite:/srv/aos.db"),
        ])
    func masked(_ url: String, _ shown: String) { #expect(StorageLocation.masked(url) == shown) }

    #if Postgres
        @Test("A server's settings are read, and shown without the password")
        func postgres() throws {
            let configuration = try read([
                "DATABASE_URL": "postgres://aos:secret@db/aos", "DATABASE_READERS_MAX": "3",
                "DATABASE_MIGRATION_URL": "postgres://owner:hidden@db/aos", "DATABASE_LOCK_TIMEOUT_MS": "700",
                "DATABASE_STATEMENT_TIMEOUT_MS": "900", "DATABASE_BATCH_MAX": "1",
            ])
            guard case .postgres(let location) = configuration.storage else {
                Issue.record("\(configuration.storage)")
                return
            }
            #expect(location.url == "postgres://aos:secret@db/aos" && location.readersMax == 3)
            #expect(location.migrationURL == "postgres://owner:hidden@db/aos" && location.batchMax == 1)
            #expect((location.lockMilliseconds, location.statementMilliseconds) == (700, 900))
            let shown = configuration.shown.map { "\($0.name)=\($0.value)" }.joined(separator: "\n")
            #expect(shown.contains("DATABASE_URL=postgres://aos:(hidden)@db/aos"))
            #expect(!shown.contains("secret") && !shown.contains("owner:hidden@"))
        }
    #endif
}
