package import DatabaseCore
import Shared

#if Postgres
    import DatabasePostgres
#endif

/// Which database holds everything: a file beside us, or a server by its URL.
package enum StorageLocation: Sendable {
    case sqlite(path: String)
    case postgres(PostgresLocation)

    package var backend: Backend {
        switch self {
        case .sqlite: .sqlite
        case .postgres: .postgres
        }
    }

    package var url: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .postgres(let location): location.url
        }
    }

    /// What this build can use.
    package static let backends: [Backend] = {
        #if Postgres
            [.sqlite, .postgres]
        #else
            [.sqlite]
        #endif
    }()

    /// Reads the settings, `DATABASE_URL` first of all.
    init(_ settings: inout Settings, dataDirectory: String) {
        let read = Self.urlSetting(&settings, "DATABASE_URL")
        let migrationURL = settings.value(
            "DATABASE_MIGRATION_URL", allowed: "postgres://…", shown: Self.masked,
            read: { Self.isPostgres($0) ? $0 : nil })
        var postgres = PostgresLocation(url: "", migrationURL: migrationURL)
        postgres.readersMax = Int(
            settings.integer("DATABASE_READERS_MAX", default: Int64(postgres.readersMax), in: 1...1000))
        postgres.statementMilliseconds = settings.integer(
            "DATABASE_STATEMENT_TIMEOUT_MS", default: postgres.statementMilliseconds, in: 100...3_600_000)
        postgres.lockMilliseconds = settings.integer(
            "DATABASE_LOCK_TIMEOUT_MS", default: postgres.lockMilliseconds, in: 100...3_600_000)
        postgres.batchMax = Int(
            settings.integer("DATABASE_BATCH_MAX", default: Int64(postgres.batchMax), in: 1...1000))
        switch read {
        case nil: self = .sqlite(path: "\(dataDirectory)/aos.db")
        case .sqlite(let path): self = .sqlite(path: path)
        case .postgres(let location):
            postgres.url = location.url
            self = .postgres(postgres)
        }
    }

    private static func urlSetting(_ settings: inout Settings, _ name: String) -> StorageLocation? {
        let allowed =
            backends.contains(.postgres)
            ? "sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE"
            : "sqlite:PATH (this build has no Postgres: install libpq-dev and build again)"
        return settings.value(name, allowed: allowed, shown: masked) { StorageLocation($0) }
    }

    /// Nil for what is no URL of a database that this build can use.
    package init?(_ url: String) {
        if url.hasPrefix("sqlite:") {
            self = .sqlite(path: String(url.dropFirst("sqlite:".count)))
        } else if Self.isPostgres(url) {
            self = .postgres(PostgresLocation(url: url, migrationURL: nil))
        } else {
            return nil
        }
    }

    private static func isPostgres(_ url: String) -> Bool {
        #if Postgres
            PostgresSettings.isURL(url)
        #else
            false
        #endif
    }

    /// Without the password: `postgres://user:(hidden)@host/database`.
    package static func masked(_ url: String) -> String {
        guard let start = url.firstRange(of: "://")?.upperBound else { return url }
        let rest = url[start...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard let at = authority.lastIndex(of: "@"), let colon = authority[..<at].firstIndex(of: ":") else {
            // A password may also stand among the parameters; then nothing of them is shown.
            return rest.contains("password=") ? String(url[..<start]) + authority + "?(hidden)" : url
        }
        let shown = String(url[..<colon]) + ":(hidden)" + url[at...]
        return shown.contains("password=") ? String(shown.prefix { $0 != "?" }) + "?(hidden)" : shown
    }
}

/// A Postgres server, and how long it is waited for.
package struct PostgresLocation: Sendable {
    package var url: String
    /// As which role the schema is changed; nil for the same.
    package var migrationURL: String?
    package var readersMax = 8
    package var statementMilliseconds: Int64 = 30_000
    package var lockMilliseconds: Int64 = 10_000
    /// Commands that may share a transaction.
    package var batchMax = GroupCommitter.batchWorksMax

    package init(url: String, migrationURL: String?) { (self.url, self.migrationURL) = (url, migrationURL) }
}
