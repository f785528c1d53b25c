import Crypto
import DatabaseCore
import Domain
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
        /// When the first event was recorded that the file does not have yet.
        var unwrittenSince: Timestamp?
    }

    static let emptyRoot = SHA256.text([])

    let path: String
    private let state = Mutex(State())

    init(path: String) { self.path = path }

    /// The root after one more event.
    static func root(_ root: String, adding eventHash: String) -> String { SHA256.text(Array((root + eventHash).utf8)) }

    /// Where the log ends, and the root over all of it.
    static func end(of transaction: any ReadTransaction) throws -> (globalSeq: Int64, root: String) {
        var (seq, root) = (Int64(0), emptyRoot)
        try EventQueries.eachHash(in: transaction) {
            (seq, root) = ($0, self.root(root, adding: $1))
            return true
        }
        return (seq, root)
    }

    /// Takes up where the file ends: folds what the log has beyond it.
    func resume(
        lastLine: Line?, eventsAfter: (Int64, (_ globalSeq: Int64, _ eventHash: String) -> Void) throws -> Void
    ) rethrows {
        var (seq, root) = (lastLine?.globalSeq ?? 0, lastLine?.root ?? Self.emptyRoot)
        let writtenSeq = seq
        try eventsAfter(seq) { (seq, root) = ($0, Self.root(root, adding: $1)) }
        state.withLock { $0 = State(globalSeq: seq, root: root, writtenSeq: writtenSeq) }
    }

    /// - Parameter events: What follows on the events that were noted before.
    func note(_ events: [EventEnvelope]) {
        state.withLock { state in
            for event in events where event.globalSeq > state.globalSeq {
                state.unwrittenSince = state.unwrittenSince ?? event.recordedAt
                state.globalSeq = event.globalSeq
                state.root = Self.root(state.root, adding: event.eventHash)
            }
        }
    }

    /// Appends a line if there is something new. Only one thread may do so.
    func flush(at now: Timestamp) throws {
        let line = state.withLock { state -> Line? in
            guard state.globalSeq > state.writtenSeq else { return nil }
            return Line(time: now, globalSeq: state.globalSeq, root: state.root)
        }
        guard let line else { return }
        try Files.append(JSON.canonical(encoding: line) + Array("\n".utf8), to: path, sync: true)
        state.withLock { state in
            state.writtenSeq = line.globalSeq
            state.unwrittenSince = state.globalSeq > line.globalSeq ? now : nil
        }
    }

    /// The events that the file does not have yet.
    var unwritten: Backlog {
        state.withLock { Backlog(count: Int($0.globalSeq - $0.writtenSeq), since: $0.unwrittenSince) }
    }

    /// More than several lines: the last whole one is in it.
    private static let tailBytes: Int64 = 4096

    /// The last line of the file, by its end alone: a start must not take longer the longer the api has lived.
    static func lastLine(path: String) throws -> Line? {
        guard let size = Files.status(path)?.sizeBytes else { return nil }
        let file = try Descriptor.openToRead(path)
        let start = max(0, size - tailBytes)
        try file.seek(to: start)
        let lines = try file.readAll(bytesMax: Int(tailBytes) * 2, path).split(separator: UInt8(ascii: "\n"))
        return lines.dropFirst(start > 0 ? 1 : 0).compactMap { try? JSON.decode(Line.self, from: Array($0)) }.last
    }
}

/// Reads a file of JSON lines one by one, however long it has become. What is no line of ours (a torn last one) is passed
/// over.
struct LineFileReader<Line: Decodable> {
    private static var pieceBytes: Int { 64 << 10 }

    private let file: Descriptor
    private var rest: ArraySlice<UInt8> = []
    private(set) var linesRead: Int64 = 0
    private(set) var lastLine: Line?

    /// Nil when there is no such file.
    init?(path: String) throws {
        guard Files.exists(path) else { return nil }
        file = try Descriptor.openToRead(path)
    }

    mutating func next() throws -> Line? {
        while true {
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let text = Array(rest[..<end])
                rest = rest[(end + 1)...]
                if let line = take(text) { return line }
            }
            let more = try file.read(upTo: Self.pieceBytes)
            guard more.isEmpty else {
                rest = (rest + more)[...]
                continue
            }
            defer { rest = [] }
            return rest.isEmpty ? nil : take(Array(rest))
        }
    }

    private mutating func take(_ text: [UInt8]) -> Line? {
        guard let line = try? JSON.decode(Line.self, from: text) else { return nil }
        linesRead += 1
        lastLine = line
        return line
    }
}
