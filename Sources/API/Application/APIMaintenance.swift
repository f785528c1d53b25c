import DatabaseCore
import EventStore
import JSON
import Platform
import Projectors
import Shared

/// Work on the data of a stopped api; each takes the directory's lock first.
enum APIMaintenance {
    /// Prints what the walk over the log found, as JSON. Exit 0 when all holds, 1 when not.
    static func verify(_ environment: [String: String], arguments: [String]) -> Int32 {
        run(environment) { configuration, entropy in
            let database = try open(configuration)
            defer { database.close() }
            let audit = "\(configuration.dataDirectory)/audit"
            let key = try AuditKey(configuration, entropy)
            let found = try database.read {
                try LogAudit.verify(
                    in: $0, headFilePath: "\(audit)/heads.ndjson", checkpointPath: "\(audit)/checkpoints.ndjson",
                    key: key)
            }
            print(JSON.pretty(try JSON.value(of: found)))
            return found.valid ? 0 : 1
        }
    }

    /// Compares the read models with a fresh fold of the log; without `--check` also replaces them by it.
    static func rebuild(_ environment: [String: String], arguments: [String]) -> Int32 {
        run(environment) { configuration, entropy in
            let database = try open(configuration)
            defer { database.close() }
            let check = try database.read {
                try ProjectionAudit.check(
                    live: $0, temporaryDirectory: "\(configuration.dataDirectory)/tmp", entropy: entropy)
            }
            print(JSON.pretty(try JSON.value(of: check)))
            if arguments.contains("--check") { return check.equal ? 0 : 1 }
            try database.writeAndWait { transaction in
                for projector in ProjectorCatalogue.all { try projector.clear(transaction) }
                try EventQueries.eachFolded(in: transaction) { recorded in
                    if let recorded { try ProjectorCatalogue.project([recorded], in: transaction) }
                }
            }
            return 0
        }
    }

    /// Takes everything over into another database and prints the proof, as JSON. Exit 0 when both say the same.
    static func migrate(_ environment: [String: String], arguments: [String]) -> Int32 {
        guard arguments.count == 2, arguments[0] == "--to", let target = StorageLocation(arguments[1]) else {
            let kinds = StorageLocation.backends.map { $0 == .sqlite ? "sqlite:PATH" : "postgres://…" }
            Program.complain(
                "usage: api migrate --to URL   (a new, empty database: \(kinds.joined(separator: " or ")))")
            return 2
        }
        return run(environment) { configuration, entropy in
            let clock = SystemClock()
            let began = clock.monotonicMilliseconds()
            let source = try open(configuration)
            defer { source.close() }
            let copy = try Storage.open(target)
            defer { copy.close() }
            var report = try StorageMove.run(from: source, to: copy) { Program.complain("api: \($0) events so far") }
            try moveTokenKey(source, copy, configuration, entropy)
            report.from = StorageLocation.masked(configuration.storage.url)
            report.to = StorageLocation.masked(target.url)
            report.milliseconds = clock.monotonicMilliseconds() - began
            print(JSON.pretty(try JSON.value(of: report)))
            return 0
        }
    }

    /// Engines stay known: their tokens are kept as HMACs under a key that is a file here and a row there.
    private static func moveTokenKey(
        _ source: any Database, _ target: any Database, _ configuration: APIConfiguration, _ entropy: any Entropy
    ) throws {
        let key = try TokenKey.text(source, configuration.dataDirectory, entropy)
        try TokenKey.put(key, target, configuration.dataDirectory)
    }

    static func run(
        _ environment: [String: String], _ body: (APIConfiguration, any Entropy) throws -> Int32
    ) -> Int32 {
        switch APIProgram.read(environment) {
        case .failure(let faults): return APIProgram.complain(faults)
        case .success(let configuration):
            do {
                let lock = try DataDirectory.lock(configuration.dataDirectory)
                defer { withExtendedLifetime(lock) {} }
                return try body(configuration, SystemEntropy())
            } catch {
                Program.complain("api: \(error)")
                return (error as? DatabaseError)?.kind == .newerSchema ? Settings.faultExitCode : 1
            }
        }
    }

    private static func open(_ configuration: APIConfiguration) throws -> any Database {
        if case .sqlite(let path) = configuration.storage, !Files.exists(path) {
            throw StartFailure("there is no database at \(path)")
        }
        return try Storage.open(configuration.storage, onRemark: { Program.complain("api: \($0)") })
    }
}
