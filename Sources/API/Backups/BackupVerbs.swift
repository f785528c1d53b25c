import DatabaseCore
import JSON
import Platform
import Shared

/// `api backup` and `api restore`: for an api that does not run, on the data directory or on a backup alone.
enum BackupVerbs {
    /// What a backup came to, as JSON.
    private struct Report: Encodable {
        var path: String
        var bytes: Int64
        var backup: BackupManifest
    }

    static func backup(_ environment: [String: String], arguments: [String]) -> Int32 {
        switch (arguments.count, arguments.first) {
        case (2, "--check"): return saying { try report(arguments[1], Backup.check(arguments[1])) }
        case (1, let path?) where !path.hasPrefix("-"):
            return APIMaintenance.run(environment) { configuration, entropy in
                try make(path, configuration, entropy)
                return 0
            }
        default:
            Program.complain("usage: api backup FILE, or api backup --check FILE")
            return 2
        }
    }

    private static func make(_ path: String, _ configuration: APIConfiguration, _ entropy: any Entropy) throws {
        var source = Backup.Source(
            storage: configuration.storage, dataDirectory: configuration.dataDirectory,
            blobsDirectory: configuration.blobsDirectory, entropy: entropy)
        switch configuration.storage {
        case .sqlite(let database):
            guard Files.exists(database) else { throw StartFailure("there is no database at \(database)") }
        case .postgres: source.database = try Storage.open(configuration.storage)
        }
        defer { source.database?.close() }
        if Files.exists(path) { throw StartFailure("\(path) is there already; name a new file") }
        let folder = "\(Files.split(path).folder)/.aos-backup-\(Hex.text(entropy.bytes(8)))"
        try Files.makeFolder(folder)
        defer { try? Files.removeTree(folder) }
        let now = Timestamp(milliseconds: SystemClock().wallMilliseconds())
        let made = try Backup(of: source, at: now, in: folder)
        try made.write(to: path)
        try report(path, made.manifest)
    }

    static func restore(_ environment: [String: String], arguments: [String]) -> Int32 {
        var (path, target, reason): (String?, String?, String?)
        var (isRehearsal, isForced) = (false, false)
        var rest = arguments[...]
        while let word = rest.popFirst() {
            switch word {
            case "--verify": isRehearsal = true
            case "--force": isForced = true
            case "--to" where !rest.isEmpty: target = rest.popFirst()
            case "--reason" where !rest.isEmpty: reason = rest.popFirst()
            case _ where path == nil && !word.hasPrefix("-"): path = word
            default:
                Program.complain("api restore: unexpected '\(word)'")
                path = nil
                rest = []
            }
        }
        guard let path else {
            Program.complain("usage: api restore FILE [--verify] [--to DIR] [--force] [--reason TEXT]")
            return 2
        }
        let clock = SystemClock()
        let began = clock.monotonicMilliseconds()
        func show(_ report: RestoreReport) throws {
            var report = report
            report.milliseconds = clock.monotonicMilliseconds() - began
            print(JSON.pretty(try JSON.value(of: report)))
        }
        if isRehearsal { return saying { try show(BackupFile.rehearse(path)) } }
        let directory: String
        do {
            try Limits.check(reason, "reason", bytesMax: Limits.textBytesMax)
            directory = try self.directory(target, environment)
        } catch {
            return failed(error)
        }
        return saying {
            try show(BackupFile.restore(path, into: directory, isForced: isForced, reason: reason))
        }
    }

    /// Everything goes into one directory, where the api looks for it without being told.
    private static func directory(_ target: String?, _ environment: [String: String]) throws -> String {
        if let target {
            guard target.hasPrefix("/") else { throw StartFailure("--to \(target): expected an absolute path") }
            return target
        }
        let configuration = try APIProgram.read(environment).get()
        let directory = configuration.dataDirectory
        func refuse(_ name: String, _ found: String) -> StartFailure {
            StartFailure(
                "\(name) is \(found), and a restore puts everything into one data directory: name one with --to DIR, then "
                    + "move the database where you want it (`aos migrate --to URL`)")
        }
        guard case .sqlite("\(directory)/\(BackupFormat.database)") = configuration.storage else {
            throw refuse("DATABASE_URL", StorageLocation.masked(configuration.storage.url))
        }
        guard configuration.blobsDirectory == "\(directory)/blobs" else {
            throw refuse("AOS_BLOBS_DIR", configuration.blobsDirectory)
        }
        return directory
    }

    private static func report(_ path: String, _ manifest: BackupManifest) throws {
        let report = Report(path: path, bytes: Files.status(path)?.sizeBytes ?? 0, backup: manifest)
        print(JSON.pretty(try JSON.value(of: report)))
    }

    private static func saying(_ body: () throws -> Void) -> Int32 {
        do {
            try body()
            return 0
        } catch {
            return failed(error)
        }
    }

    private static func failed(_ error: any Error) -> Int32 {
        if let faults = error as? SettingFaults { return APIProgram.complain(faults) }
        if let error = error as? SystemError, error.isDiskFull {
            Program.complain("api: the disk is full: \(error); nothing was left behind")
        } else {
            Program.complain("api: \(error)")
        }
        return APIProgram.exitCode(error) == Settings.faultExitCode ? Settings.faultExitCode : 1
    }
}
