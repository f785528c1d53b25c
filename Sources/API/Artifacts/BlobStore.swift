import Crypto
import HTTP
import HTTPServer
import JSON
import Platform
import Shared

/// Bytes named by their SHA-256, a folder for each workspace. A blob is there whole or not at all.
final class BlobStore: Sendable {
    let directory: String
    let bytesMax: Int
    private let entropy: any Entropy
    private let log: Log
    /// Uploads that may wait for the disk.
    private static let finishingMax = 1024
    /// fsync happens here, off the loop.
    private let queue = JobQueue("api-blobs", jobsMax: finishingMax)

    /// - Parameter directory: For blobs; made if it is missing.
    init(directory: String, bytesMax: Int, entropy: any Entropy, log: Log) throws {
        (self.directory, self.bytesMax, self.entropy, self.log) = (directory, bytesMax, entropy, log)
        try Files.makeFolder("\(directory)/incoming")
        // What a crash left half-written is nobody's.
        for name in try Files.list("\(directory)/incoming") { try Files.remove("\(directory)/incoming/\(name)") }
    }

    func start() -> Thread { queue.start() }

    func stop() { queue.stop() }

    func path(_ sha256: String, in workspace: WorkspaceID) -> String {
        "\(directory)/\(Self.place(sha256, in: workspace))"
    }

    /// Where in the directory the blob is. Workspace names are free text: their digest is a safe folder name.
    static func place(_ sha256: String, in workspace: WorkspaceID) -> String {
        "\(SHA256.hex(Array(workspace.rawValue.utf8)).prefix(32))/\(sha256.prefix(2))/\(sha256)"
    }

    /// The blob's size, or nil if it is not there.
    func size(_ sha256: String, in workspace: WorkspaceID) -> Int64? {
        Files.status(path(sha256, in: workspace))?.sizeBytes
    }

    /// - Returns: Whether it was there.
    func remove(_ sha256: String, in workspace: WorkspaceID) throws -> Bool {
        guard size(sha256, in: workspace) != nil else { return false }
        try Files.remove(path(sha256, in: workspace))
        return true
    }

    /// Takes an upload.
    func sink(
        _ sha256: String, in workspace: WorkspaceID, answer: @escaping @Sendable (any Error) -> HTTPResponse,
        stored: @escaping @Sendable (Int64) throws -> HTTPResponse
    ) throws -> BlobSink {
        let temporary = "\(directory)/incoming/\(Hex.text(entropy.bytes(12)))"
        return BlobSink(
            store: self, file: try Descriptor.openToWrite(temporary), temporary: temporary,
            target: path(sha256, in: workspace), sha256: sha256, answer: answer, stored: stored)
    }

    /// Removes blobs that nobody has named for ``unreferencedMilliseconds``.
    func sweep(now: Timestamp, isReferenced: (String) throws -> Bool) throws {
        for workspace in try Files.list(directory) where workspace != "incoming" {
            for folder in try Files.list("\(directory)/\(workspace)") {
                for name in try Files.list("\(directory)/\(workspace)/\(folder)") {
                    let path = "\(directory)/\(workspace)/\(folder)/\(name)"
                    guard let status = Files.status(path),
                        now.milliseconds - status.modifiedMilliseconds > Self.unreferencedMilliseconds,
                        try !isReferenced(name)
                    else { continue }
                    try Files.remove(path)
                }
            }
        }
    }

    private static let unreferencedMilliseconds: Int64 = 24 * 3_600_000

    fileprivate func later(_ job: @escaping @Sendable () -> Void) -> Bool { queue.add(job) }
}

/// One upload: hashed and written as it comes, made durable at its end, refused if it is not what its name says.
///
/// `@unchecked Sendable` holds because the loop calls it until `finish`, and afterwards only the store's thread does.
final class BlobSink: BodySink, @unchecked Sendable {
    private let store: BlobStore
    private let file: Descriptor
    private let temporary: String
    private let target: String
    private let sha256: String
    private let answer: @Sendable (any Error) -> HTTPResponse
    private let stored: @Sendable (Int64) throws -> HTTPResponse
    private let hash = RunningSHA256()
    private var bytes: Int64 = 0

    fileprivate init(
        store: BlobStore, file: Descriptor, temporary: String, target: String, sha256: String,
        answer: @escaping @Sendable (any Error) -> HTTPResponse,
        stored: @escaping @Sendable (Int64) throws -> HTTPResponse
    ) {
        (self.store, self.file, self.temporary, self.target) = (store, file, temporary, target)
        (self.sha256, self.answer, self.stored) = (sha256, answer, stored)
    }

    func write(_ bytes: ArraySlice<UInt8>) -> HTTPResponse? {
        do {
            hash.update(bytes)
            try file.writeAll(Array(bytes))
            self.bytes += Int64(bytes.count)
            return nil
        } catch {
            try? Files.remove(temporary)
            return answer(Self.rejection(error))
        }
    }

    func finish() -> Reply {
        let deferred = DeferredReply()
        let isQueued = store.later { [self] in
            do {
                let found = hash.hex()
                guard found == sha256 else {
                    throw Rejection(
                        .digestMismatch, "the address says \(sha256), the bytes are \(found)",
                        details: ["expected": .string(sha256), "found": .string(found)])
                }
                do {
                    try file.sync()
                    try Files.makeFolder(Files.split(target).folder)
                    try Files.rename(temporary, to: target)
                    try Descriptor.openToRead(Files.split(target).folder).sync()
                } catch let error as SystemError {
                    throw Self.rejection(error)
                }
                deferred.complete(try stored(bytes))
            } catch {
                try? Files.remove(temporary)
                deferred.complete(answer(error))
            }
        }
        if !isQueued {
            abort()
            deferred.complete(answer(Rejection(.overloaded, "too many uploads wait for the disk; try again")))
        }
        return .later(deferred)
    }

    func abort() { try? Files.remove(temporary) }

    private static func rejection(_ error: SystemError) -> Rejection {
        error.isDiskFull
            ? Rejection(.storageFull, "the disk is full: the blob was not kept")
            : Rejection(.storageUnavailable, "the blob cannot be written")
    }
}

/// A file, or a part of one, as a response body.
final class FileSource: BodySource {
    private let file: Descriptor
    private let rest: Monitor<Int64>

    init(_ file: Descriptor, bytes: Int64) { (self.file, rest) = (file, Monitor(bytes)) }

    func attach(_ wake: @escaping @Sendable () -> Void) {}
    func detach() {}

    func next(atMost bytes: Int) -> BodyChunk {
        rest.update { rest in
            if rest == 0 { return .end }
            guard let read = try? file.read(upTo: Int(min(Int64(bytes), rest))), !read.isEmpty else { return .abort }
            rest -= Int64(read.count)
            return .bytes(read)
        }
    }
}
