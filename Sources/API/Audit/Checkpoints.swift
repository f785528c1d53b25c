import Crypto
import DatabaseCore
import EventStore
import JSON
import Platform
import Shared
import Synchronization

/// Signs how far the log is, now and then and at the end, and never what contradicts what it has signed before.
///
/// Beside the append, on a thread of its own: the hashes since the last checkpoint are read and folded into a frontier of
/// the Merkle tree. The first time the whole log is, so what was signed before a start is compared with what is there.
final class Checkpoints: Sendable {
    /// How long after an event a checkpoint covers it.
    static let everyMilliseconds: Int64 = 10_000
    /// The seam to `aos restore`: it puts `audit/` aside and records one of these, and from there on another origin is
    /// signed for (`decisions/0014`).
    static let restoredType = "log.restored"

    private struct State {
        var origin = ""
        var frontier = MerkleFrontier()
        var last: Checkpoint?
        /// Why nothing is signed any more.
        var refusal: String?
    }

    /// Where each checkpoint is appended, beside the database.
    let path: String
    let key: AuditKey
    private let environment: APIEnvironment
    private let publishDirectory: String?
    private let queue = JobQueue("api-checkpoints", jobsMax: 1)
    /// Held while one is made: they are made one after the other.
    private let state = Mutex(State())
    private let refused = Mutex<String?>(nil)

    init(environment: APIEnvironment, path: String, key: AuditKey, publishDirectory: String?) {
        (self.environment, self.path, self.key) = (environment, path, key)
        self.publishDirectory = publishDirectory
    }

    func start() -> Thread { queue.start() }

    /// Signs what there is, and ends.
    func stop() {
        due()
        queue.stop()
    }

    /// Time to sign, if there is something new. Does not wait.
    func due() {
        _ = queue.add { [self] in
            do { _ = try sign() } catch is Rejection {} catch {
                environment.log.error("the checkpoint cannot be made", ["error": .text("\(error)")])
            }
        }
    }

    /// Why this log is not signed, if it is not: it contradicts what was signed before.
    var refusal: String? { refused.withLock { $0 } }

    /// The key that the log is signed with now.
    func noteKey() throws -> NoteKey {
        key.noteKey(restores: try environment.database.read { try Self.restores($0) })
    }

    /// A checkpoint of the log as it is; the last one, if there is nothing new.
    /// - Throws: `integrity_hold` when the log is not what was signed before.
    func sign() throws -> Checkpoint {
        let (checkpoint, isNew) = try state.withLock { state in
            if let refusal = state.refusal { throw Self.hold(refusal) }
            let key = try environment.database.read { try catchUp(&state, $0) }
            if let refusal = state.refusal {
                refused.withLock { $0 = refusal }
                environment.log.error("the log is not signed any more", ["reason": .text(refusal)])
                throw Self.hold(refusal)
            }
            let size = Int64(state.frontier.size)
            if let last = state.last, last.size == size { return (last, false) }
            let root = Base64.text(state.frontier.root)
            let checkpoint = Checkpoint(
                origin: key.name, size: size, root: root, note: key.sign("\(key.name)\n\(size)\n\(root)\n"),
                signedAt: environment.now)
            // First where it outlives the database.
            try Files.append(JSON.canonical(encoding: checkpoint) + Array("\n".utf8), to: path, sync: true)
            state.last = checkpoint
            return (checkpoint, true)
        }
        if isNew { try handOn(checkpoint) }
        return checkpoint
    }

    private func handOn(_ checkpoint: Checkpoint) throws {
        environment.database.write {
            try CheckpointTable.put(checkpoint, $0)
        } then: { [log = environment.log] (result: Result<Void, any Error>) in
            if case .failure(let error) = result {
                log.warning("the checkpoint is in its file only", ["error": .text("\(error)")])
            }
        }
        guard let publishDirectory else { return }
        do {
            try Files.writeAtomically(Array(checkpoint.note.utf8), to: "\(publishDirectory)/checkpoint", mode: 0o644)
            try Files.append(
                JSON.canonical(encoding: checkpoint) + Array("\n".utf8), to: "\(publishDirectory)/checkpoints.ndjson",
                sync: true)
        } catch {
            environment.log.error(
                "the checkpoint cannot be published", ["to": .text(publishDirectory), "error": .text("\(error)")])
        }
    }

    /// Folds what is new; the first time, and for another origin, all of it.
    private func catchUp(_ state: inout State, _ transaction: any ReadTransaction) throws -> NoteKey {
        let key = key.noteKey(restores: try Self.restores(transaction))
        if state.origin != key.name {
            state = State(origin: key.name)
            // The file is the older witness: a database that was put back has forgotten.
            let known = [
                try CheckpointFile.last(of: key.name, path: path), try CheckpointTable.find(key.name, transaction),
            ]
            state.last = known.compactMap(\.self).max { $0.size < $1.size }
        }
        var frontier = state.frontier
        let signed = state.last.flatMap { frontier.size < $0.size ? $0 : nil }
        var refusal: String?
        try EventQueries.eachHash(afterGlobalSeq: Int64(frontier.size), in: transaction) { globalSeq, eventHash in
            guard globalSeq == Int64(frontier.size) + 1 else {
                refusal = "event \(frontier.size + 1) is missing"
                return false
            }
            frontier.append(leaf: MerkleTree.leaf(eventHash.utf8))
            if let signed, signed.size == globalSeq, signed.root != Base64.text(frontier.root) {
                refusal = "up to event \(globalSeq) it is not what was signed at \(signed.signedAt)"
                return false
            }
            return true
        }
        if refusal == nil, let signed, frontier.size < signed.size {
            refusal = "it ends at event \(frontier.size), and was signed up to \(signed.size) at \(signed.signedAt)"
        }
        state.refusal = refusal
        state.frontier = frontier
        return key
    }

    static func restores(_ transaction: any ReadTransaction) throws -> Int {
        try transaction.first(
            """
            SELECT count(*) AS restores FROM evt_events
            WHERE workspace_id = \(WorkspaceID.system) AND event_type = \(restoredType)
            """
        ) { try $0.get("restores") } ?? 0
    }

    private static func hold(_ why: String) -> Rejection {
        Rejection(
            .integrityHold,
            "the log is not signed: \(why). See `aos verify`; a backup is put back with `aos restore`, which says so in history"
        )
    }
}

/// Reads `audit/checkpoints.ndjson`: one checkpoint a line, in the order of signing.
enum CheckpointFile {
    /// More than several lines.
    private static let tailBytes: Int64 = 16 << 10

    /// The last one of the origin, if it is among the last ones.
    static func last(of origin: String, path: String) throws -> Checkpoint? {
        guard let size = Files.status(path)?.sizeBytes else { return nil }
        let file = try Descriptor.openToRead(path)
        let start = max(0, size - tailBytes)
        try file.seek(to: start)
        let lines = try file.readAll(bytesMax: Int(tailBytes) * 2, path).split(separator: UInt8(ascii: "\n"))
        return lines.dropFirst(start > 0 ? 1 : 0).compactMap { try? JSON.decode(Checkpoint.self, from: Array($0)) }
            .last { $0.origin == origin }
    }
}
