import DatabaseCore
import EventStore
import HTTP
import HTTPServer
import Platform
import Shared
import Synchronization

/// Backups of the running api, one at a time, on a thread of their own: the database is copied beside the writer, checked,
/// and handed out as it is read. Nothing waits for it but the WAL, which is not copied back while the database is.
final class BackupDesk: Sendable {
    /// One is made; one more may wait for it.
    private static let queuedMax = 1

    private let environment: APIEnvironment
    private let commands: CommandBus
    private let source: Backup.Source
    private let problems: ProblemAnswers
    private let queue = JobQueue("api-backup", jobsMax: queuedMax)
    private let isStopping = Atomic<Bool>(false)

    private static let folderPrefix = "backup-"

    /// Removes what a process that was killed left half-made.
    init(environment: APIEnvironment, commands: CommandBus, source: Backup.Source, problems: ProblemAnswers) throws {
        (self.environment, self.commands, self.source, self.problems) = (environment, commands, source, problems)
        let folder = "\(source.dataDirectory)/tmp"
        guard Files.exists(folder) else { return }
        for name in try Files.list(folder) where name.hasPrefix(Self.folderPrefix) {
            try Files.removeTree("\(folder)/\(name)")
        }
    }

    func start() -> Thread { queue.start() }

    func stop() {
        isStopping.store(true, ordering: .relaxed)
        queue.stop()
    }

    /// Answers with the file once the copy of the database has been checked.
    func answer(_ context: RequestContext) -> Reply {
        let deferred = DeferredReply()
        let pipe = BodyPipe()
        deferred.onCancel { pipe.detach() }
        let isQueued = queue.add { [self] in
            do {
                try make(context, deferred, pipe)
            } catch {
                // Too late for words once the head is out: then the connection ends before the file does.
                pipe.fail()
                deferred.complete(problems.answer(Self.worded(error), context))
                environment.log.warning("a backup was not completed", ["error": .text("\(error)")])
            }
        }
        if !isQueued {
            deferred.complete(
                problems.answer(Rejection(.overloaded, "a backup is being made already; try again later"), context))
        }
        return .later(deferred)
    }

    private func make(_ context: RequestContext, _ deferred: DeferredReply, _ pipe: BodyPipe) throws {
        let folder = "\(source.dataDirectory)/tmp/\(Self.folderPrefix)\(Hex.text(environment.entropy.bytes(8)))"
        try Files.makeFolder(folder)
        defer { try? Files.removeTree(folder) }
        try requireRoom(folder)
        let backup = try Backup(of: source, at: environment.now, in: folder) {
            !isStopping.load(ordering: .relaxed) && !pipe.isDetached
        }
        try declare(backup.manifest, context)
        let head = HTTPResponse(
            .ok, fields: [.contentType: BackupFormat.mediaType, .cacheControl: "no-store"])
        deferred.complete(reply: .stream(problems.traced(head, context), pipe, length: nil))
        try backup.write { piece in
            guard !self.isStopping.load(ordering: .relaxed) else { throw BackupFault("the api is stopping") }
            try pipe.write(piece)
        }
        pipe.finish()
    }

    /// A backup must not take the room that the api needs to go on.
    private func requireRoom(_ folder: String) throws {
        guard case .sqlite(let path) = source.storage, let free = Files.freeBytes(folder) else { return }
        let needed =
            ["", "-wal"].reduce(BackupFormat.reserveBytes) { $0 + (Files.status(path + $1)?.sizeBytes ?? 0) }
        guard free < needed else { return }
        throw Rejection(
            .storageFull,
            "a backup copies the database first: expected \(needed) bytes free in the data directory, found \(free)")
    }

    /// Before the first byte leaves.
    private func declare(_ manifest: BackupManifest, _ context: RequestContext) throws {
        let environment = environment
        let recorded = try environment.database.writeAndWait { transaction in
            let work = Work(transaction, environment, now: environment.now, trace: context.trace.context)
            let made = LogBackedUp(
                backupGlobalSeq: manifest.globalSeq, root: manifest.root, databaseSha256: manifest.databaseSha256,
                blobs: manifest.blobs)
            let scope = EventScope(workspaceID: .system, correlationID: context.correlationID)
            try work.record(EventDraft(.log(.backedUp(made)), in: scope, by: context.actor))
            return work.recorded
        }
        commands.aftermath.committed(recorded)
    }

    private static func worded(_ error: any Error) -> any Error {
        switch error {
        case let error as SystemError where error.isDiskFull:
            Rejection(.storageFull, "the disk is full: there is no room for the database's copy")
        case let error as DatabaseError where error.kind == .full:
            Rejection(.storageFull, "the disk is full: there is no room for the database's copy")
        case let error as BackupFault: Rejection(.storageUnavailable, error.description)
        case let error as DatabaseError where error.kind == .closed:
            Rejection(.draining, "the api is stopping; no backup was made")
        default: error
        }
    }
}

/// A body that another thread writes, and waits to write while the client is behind.
final class BodyPipe: BodySource {
    /// Waits to be taken …
    private static let bytesMax = 1 << 20
    /// … for so long at the most: then the client counts as gone.
    private static let silenceMilliseconds: Int64 = 120_000

    private struct State {
        var pieces: [[UInt8]] = []
        var bytes = 0
        var hasEnded = false
        var hasFailed = false
        var isDetached = false
        var wake: (@Sendable () -> Void)?
    }

    private let state = Monitor(State())

    var isDetached: Bool { state.read { $0.isDetached } }

    // MARK: The writing thread

    /// - Throws: When nobody takes the bytes (any more).
    func write(_ piece: ArraySlice<UInt8>) throws {
        guard !piece.isEmpty else { return }
        let taken = state.wait(milliseconds: Self.silenceMilliseconds) { state -> (() -> Void)?? in
            if state.isDetached { return .some(nil) }
            guard state.bytes < Self.bytesMax else { return nil }
            state.pieces.append(Array(piece))
            state.bytes += piece.count
            let wake = state.wake
            return .some({ wake?() })
        }
        guard let wake = taken ?? nil else { throw BackupFault("the client has gone, or takes nothing any more") }
        wake()
    }

    func finish() {
        state.update { state in
            state.hasEnded = true; return state.wake
        }?()
    }

    func fail() {
        state.update { state in
            state.hasFailed = true; return state.wake
        }?()
    }

    // MARK: The loop

    func attach(_ wake: @escaping @Sendable () -> Void) { state.update { $0.wake = wake } }

    func detach() { state.update { ($0.isDetached, $0.wake, $0.pieces) = (true, nil, []) } }

    func next(atMost bytes: Int) -> BodyChunk {
        state.update { state in
            if state.hasFailed { return .abort }
            guard !state.pieces.isEmpty else { return state.hasEnded ? .end : .wait }
            let piece = state.pieces.removeFirst()
            state.bytes -= piece.count
            return .bytes(piece)
        }
    }
}
