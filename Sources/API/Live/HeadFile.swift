import Crypto
import EventStore
import JSON
import Platform
import Shared
import Synchronization

/// `audit/heads.ndjson` beside the database: once a second at most, how far the log is and a root over all of it. A log
/// whose tail was cut off is shorter than its last line says. Never ahead of the log: it is written after the commit.
final class HeadFile: Sendable {
    struct Line: Codable, Hashable, Sendable {
        var time: Timestamp
        var globalSeq: Int64
        /// `sha256:` over the root before and the hash of each event since, in the order of recording.
        var root: String
    }

    private struct State {
        var globalSeq: Int64 = 0
        var root = HeadFile.emptyRoot
        var writtenSeq: Int64 = 0
    }

    static let emptyRoot = SHA256.text([])

    let path: String
    private let state = Mutex(State())

    init(path: String) { self.path = path }

    /// The root after one more event.
    static func root(_ root: String, adding eventHash: String) -> String { SHA256.text(Array((root + eventHash).utf8)) }

    /// Takes up where the file ends: folds what the log has beyond it.
    /// - Returns: Nil, or how the log contradicts the file.
    func resume(lastLine: Line?, eventsAfter: (Int64, (StoredEvent) -> Void) throws -> Void) rethrows -> String? {
        var (seq, root) = (lastLine?.globalSeq ?? 0, lastLine?.root ?? Self.emptyRoot)
        let writtenSeq = seq
        try eventsAfter(seq) { event in
            (seq, root) = (event.envelope.globalSeq, Self.root(root, adding: event.envelope.eventHash))
        }
        state.withLock { $0 = State(globalSeq: seq, root: root, writtenSeq: writtenSeq) }
        return nil
    }

    func note(_ recorded: [Recorded<DomainEvent>]) {
        state.withLock { state in
            for event in recorded where event.envelope.globalSeq > state.globalSeq {
                state.globalSeq = event.envelope.globalSeq
                state.root = Self.root(state.root, adding: event.envelope.eventHash)
            }
        }
    }

    /// Appends a line if there is something new.
    func flush(at now: Timestamp) throws {
        let line = state.withLock { state -> Line? in
            guard state.globalSeq > state.writtenSeq else { return nil }
            state.writtenSeq = state.globalSeq
            return Line(time: now, globalSeq: state.globalSeq, root: state.root)
        }
        guard let line else { return }
        try Files.append(JSON.canonical(encoding: line) + Array("\n".utf8), to: path, sync: true)
    }

    static let bytesMax = 1 << 30

    /// All lines of the file; what is no line of ours (a torn last one) is left out.
    static func lines(path: String) -> [Line] {
        guard let bytes = try? Files.read(path, bytesMax: bytesMax) else { return [] }
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { try? JSON.decode(Line.self, from: Array($0)) }
    }
}
