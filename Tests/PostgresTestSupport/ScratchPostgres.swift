package import DatabaseCore
import Glibc
import Platform
import Synchronization

#if Postgres
    import CPostgres
    import DatabasePostgres
#endif

/// Which databases tests run on.
package enum TestBackends {
    /// The server that `infra/postgres` started for the tests; nil when there is none, or none can be used.
    package static let serverURL: String? = {
        #if Postgres
            getenv("POSTGRES_URL").map { String(cString: $0) }
        #else
            nil
        #endif
    }()

    /// SQLite always; Postgres where there is a server.
    package static let all: [Backend] = serverURL == nil ? [.sqlite] : [.sqlite, .postgres]

    /// The one that whole programs are tested on: Postgres when `AOS_TEST_BACKEND=postgres` says so.
    package static let chosen: Backend = {
        let name = getenv("AOS_TEST_BACKEND").map { String(cString: $0) } ?? ""
        precondition(
            name != "postgres" || serverURL != nil,
            "AOS_TEST_BACKEND=postgres needs POSTGRES_URL and a build with Postgres: run infra/postgres run …")
        return Backend(rawValue: name) ?? .sqlite
    }()
}

#if Postgres
    extension TestBackends {
        /// Runs text as the server's owner, in no test's database.
        package static func onServer(_ text: String) throws {
            _ = try ScratchPostgres.run(text, at: serverURL ?? "")
        }
    }

    /// A database of a test's own on the test server, gone with the value.
    package final class ScratchPostgres: Sendable {
        package struct Failure: Error, CustomStringConvertible {
            package var description: String
            package var state: String?
        }

        package let name: String
        package let url: String

        /// - Parameter migrations: The schema it has from the beginning.
        package convenience init(_ migrations: [Migration] = []) throws {
            try self.init(template: Self.template(migrations))
        }

        /// A copy of one that nobody is connected to.
        package convenience init(copying other: ScratchPostgres) throws { try self.init(template: other.name) }

        private init(template: String) throws {
            guard let server = TestBackends.serverURL else { throw Failure(description: "POSTGRES_URL is not set") }
            name = "test_\(SystemEntropy().integer(in: 0...Int64.max))"
            url = Self.url(server, database: name)
            try Self.run("CREATE DATABASE \(name) TEMPLATE \(template)", at: server)
        }

        deinit { _ = try? Self.run("DROP DATABASE IF EXISTS \(name) WITH (FORCE)", at: TestBackends.serverURL!) }

        /// Runs text as the server's owner would, around us.
        /// - Returns: The rows of the last statement, as text.
        @discardableResult
        package func run(_ text: String) throws -> [[String?]] { try Self.run(text, at: url) }

        package func url(as role: String, password: String) -> String {
            let host = url[(url.firstIndex(of: "@") ?? url.startIndex)...]
            return "postgres://\(role):\(password)\(host)"
        }

        // MARK: Templates

        /// Databases that were migrated once: a copy of one is made sooner than a schema.
        private static let templates = Mutex<[Int: String]>([:])

        private static func template(_ migrations: [Migration]) throws -> String {
            if migrations.isEmpty { return "template0" }
            let key = "\(migrations)".utf8.reduce(5381) { $0 &* 33 &+ Int($1) }
            return try templates.withLock { templates in
                if let known = templates[key] { return known }
                let server = TestBackends.serverURL!
                let name = "template_\(SystemEntropy().integer(in: 0...Int64.max))"
                try run("CREATE DATABASE \(name) TEMPLATE template0", at: server)
                let settings = PostgresSettings(url: url(server, database: name))
                try PostgresDatabase(settings, migrations: migrations).close()
                templates[key] = name
                return name
            }
        }

        private static func url(_ server: String, database: String) -> String {
            server[..<(server.lastIndex(of: "/") ?? server.endIndex)] + "/" + database
        }

        @discardableResult
        fileprivate static func run(_ text: String, at url: String) throws -> [[String?]] {
            let connection = PQconnectdb(url)
            defer { PQfinish(connection) }
            guard PQstatus(connection) == CONNECTION_OK else {
                throw Failure(description: String(cString: PQerrorMessage(connection)))
            }
            let result = PQexec(connection, text)
            defer { PQclear(result) }
            guard [PGRES_COMMAND_OK, PGRES_TUPLES_OK].contains(PQresultStatus(result)) else {
                throw Failure(
                    description: String(cString: PQresultErrorMessage(result)),
                    state: PQresultErrorField(result, Int32(UInt8(ascii: "C"))).map { String(cString: $0) })
            }
            return (0..<PQntuples(result)).map { row in
                (0..<PQnfields(result)).map { column in
                    PQgetisnull(result, row, column) == 1 ? nil : String(cString: PQgetvalue(result, row, column))
                }
            }
        }
    }
#endif
