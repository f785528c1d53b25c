import Crypto
import DatabaseCore
import DatabaseSQLite
import EventStore
import JSON
import Platform
import Projectors
import Shared

/// A backup in the making: the database's copy, checked, and what else goes with it.
struct Backup {
    let manifest: BackupManifest
    /// Temporary: the copy is in it.
    private let folder: String
    private let secrets: [(name: String, bytes: [UInt8])]
    private let blobsDirectory: String

    private var databasePath: String { "\(folder)/\(BackupFormat.database)" }

    /// Where the data is.
    struct Source {
        var storage: StorageLocation
        var dataDirectory: String
        var blobsDirectory: String
        /// Needed for a server's data only: it is copied event by event.
        var database: (any Database)?
        var entropy: any Entropy
    }

    /// Copies the database as it is now and checks the copy: SQLite's own check, every hash of the log.
    /// - Parameters:
    ///   - folder: An empty one on a disk with room for the database; the caller removes it.
    ///   - mayGoOn: Asked now and then.
    /// - Throws: Why there can be none, in a sentence.
    init(of source: Source, at now: Timestamp, in folder: String, mayGoOn: () -> Bool = { true }) throws {
        (self.folder, blobsDirectory) = (folder, source.blobsDirectory)
        let copy = "\(folder)/\(BackupFormat.database)"
        switch source.storage {
        case .sqlite(let path): try SQLiteCopy.make(of: path, at: copy, mayGoOn: mayGoOn)
        case .postgres:
            guard let database = source.database else { preconditionFailure("a server's data is read through it") }
            try Self.copy(database, to: copy)
        }
        secrets = try DataDirectory.instanceFiles.map { name in
            if name == TokenKey.fileName, let database = source.database, database.backend.isShared {
                return (name, Array((try TokenKey.text(database, source.dataDirectory, source.entropy) + "\n").utf8))
            }
            let path = "\(source.dataDirectory)/\(name)"
            // Handed over by systemd, it is no part of the data: whoever restores hands it over again.
            if name == AuditKey.fileName, !Files.exists(path) { return (name, []) }
            return (name, try Files.read(path, bytesMax: BackupFormat.secretBytesMax))
        }
        let log = try LogFacts(of: copy)
        guard log.schemaVersion == Storage.schemaVersion else {
            throw StartFailure(
                "the database has schema \(log.schemaVersion), this program knows \(Storage.schemaVersion): start the api once, which brings it up to date, or use the program that wrote it"
            )
        }
        var manifest = BackupManifest(
            format: BackupFormat.version, madeAt: now, programVersion: ReleaseVersion.text,
            schemaVersion: log.schemaVersion, storage: source.storage.backend.rawValue, globalSeq: log.globalSeq,
            root: log.root, events: log.events, streams: log.streams,
            databaseBytes: Files.status(copy)?.sizeBytes ?? 0, databaseSha256: try Self.sha256(of: copy), blobs: 0,
            blobBytes: 0, missingBlobs: 0)
        try Self.eachBlob(copy, source.blobsDirectory) { _, _, size in
            if let size {
                (manifest.blobs, manifest.blobBytes) = (manifest.blobs + 1, manifest.blobBytes + size)
            } else {
                manifest.missingBlobs += 1
            }
        }
        self.manifest = manifest
    }

    /// Hands over the whole file, piece by piece.
    func write(_ sink: @escaping (ArraySlice<UInt8>) throws -> Void) throws {
        let writer = try BackupWriter(
            modifiedSeconds: manifest.madeAt.milliseconds / 1000, folder: folder, sink: sink)
        try writer.add(BackupFormat.manifest, Array(JSON.pretty(try JSON.value(of: manifest)).utf8) + [0x0A])
        try writer.add(
            BackupFormat.database, try Descriptor.openToRead(databasePath), size: manifest.databaseBytes)
        for secret in secrets { try writer.add(secret.name, secret.bytes) }
        var blobs: Int64 = 0
        try Self.eachBlob(databasePath, blobsDirectory) { name, path, size in
            guard let size else { return }
            blobs += 1
            try writer.add(name, try Descriptor.openToRead(path), size: size)
        }
        guard blobs == manifest.blobs else {
            throw BackupFault("contents of artifacts came or went while they were copied; make the backup again")
        }
        try writer.finish()
    }

    /// Into a new file (0600), which is there when it is whole and has been read back, and otherwise is not.
    func write(to path: String) throws {
        do {
            let file = try Files.createNew(path)
            try write { try file.writeAll(Array($0)) }
            try file.sync()
            try Self.check(path)
            try Files.syncFolder(Files.split(path).folder)
        } catch {
            try? Files.remove(path)
            throw error
        }
    }

    /// Every digest of the file, and every hash of the log in it.
    @discardableResult
    static func check(_ path: String) throws -> BackupManifest {
        let reader = try BackupReader(path: path)
        try Files.withTemporaryFolder("aos-backup-check") { folder in
            let database = "\(folder)/\(BackupFormat.database)"
            try reader.read { $0 == BackupFormat.database ? database : nil }
            try LogFacts(of: database).require(reader.manifest)
        }
        return reader.manifest
    }

    /// Every content that artifacts name, where it is, and its size; no size where it should be and is not.
    private static func eachBlob(
        _ database: String, _ directory: String, _ body: (_ name: String, _ path: String, Int64?) throws -> Void
    ) throws {
        try SQLiteReader(path: database).read { transaction in
            try ArtifactTable.eachBlob(transaction) { workspace, sha256, isElsewhere in
                let place = BlobStore.place(sha256, in: workspace)
                let path = "\(directory)/\(place)"
                let size = Files.status(path).flatMap { $0.kind == .file ? $0.sizeBytes : nil }
                if size != nil || !isElsewhere { try body(BackupFormat.blobs + place, path, size) }
            }
        }
    }

    /// A server's data, as of one moment, in a file.
    private static func copy(_ database: any Database, to path: String) throws {
        let copy = try SQLiteDatabase(path: path, migrations: Storage.migrations) { _ in }
        do {
            defer { copy.close() }
            try copy.writeAndWait { target in try database.read { try StorageMove.copy($0, target) { _ in } } }
        }
        try SQLiteCopy.settle(path)
    }

    private static func sha256(of path: String) throws -> String {
        let (file, hash) = (try Descriptor.openToRead(path), RunningSHA256())
        while case let piece = try file.read(upTo: BackupFormat.pieceBytes), !piece.isEmpty { hash.update(piece[...]) }
        return hash.hex()
    }
}

/// What the log of a database file comes to.
struct LogFacts {
    var schemaVersion: Int
    var events: Int64
    var streams: Int64
    var globalSeq: Int64
    var root: String

    /// - Throws: ``BackupFault`` when a hash of the log does not hold.
    init(of path: String) throws {
        schemaVersion = try SQLiteCopy.schemaVersion(of: path) ?? 0
        (events, streams, globalSeq, root) = try SQLiteReader(path: path).read { transaction in
            let found = try LogVerifier.verifyLog(in: transaction)
            guard found.valid else {
                let first = found.faults.first.map {
                    "\($0.streamType.rawValue)/\($0.streamID) \($0.streamSeq): \($0.detail)"
                }
                throw BackupFault("the event log is not valid (`aos verify` says more): \(first ?? "")")
            }
            let end = try HeadFile.end(of: transaction)
            return (found.events, found.streams, end.globalSeq, end.root)
        }
    }

    /// - Throws: ``BackupFault`` when this is not the log that the manifest is about.
    func require(_ manifest: BackupManifest) throws {
        guard (globalSeq, root, events) == (manifest.globalSeq, manifest.root, manifest.events) else {
            throw BackupFault(
                "the log in the backup ends at event \(globalSeq) with root \(root), its manifest says \(manifest.globalSeq) with \(manifest.root)"
            )
        }
    }
}

extension Files {
    /// A folder that only this user can read, for large files that are not to stay: in `TMPDIR`, else in `/var/tmp`.
    static func withTemporaryFolder<Result>(_ name: String, _ body: (String) throws -> Result) throws -> Result {
        let parent = Program.environment()["TMPDIR"].flatMap { $0.hasPrefix("/") ? $0 : nil } ?? "/var/tmp"
        let folder = "\(parent)/\(name)-\(Hex.text(SystemEntropy().bytes(8)))"
        try Files.makeFolder(folder)
        defer { try? Files.removeTree(folder) }
        return try body(folder)
    }
}
