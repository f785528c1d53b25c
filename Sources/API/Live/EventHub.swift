import EventStore
import HTTP
import JSON
import Shared
import Synchronization

/// Hands new events to the followers of their streams: encoded once, shared by all, never before the commit.
///
/// The hub is only a shortcut: whoever finds nothing here reads the log, so a slow or late follower costs no memory.
final class EventHub: Sendable {
    /// Frames kept for followers that are a little behind.
    static let framesMax = 512

    struct Frame: Sendable {
        var seq: Int64
        var bytes: [UInt8]
    }

    private struct Follower {
        /// The number of the last event it was given.
        var position: @Sendable () -> Int64
        var wake: @Sendable () -> Void
    }

    private struct Stream {
        /// The newest events, without a gap.
        var frames: [Frame] = []
        /// The number of the stream's last event, as far as the hub has seen.
        var lastSeq: Int64
        var followers: [ObjectIdentifier: Follower] = [:]
    }

    private let streams = Mutex<[StreamID: Stream]>([:])
    private let ending = Atomic<Bool>(false)

    /// Registers a follower.
    /// - Parameter lastSeq: The stream's last number, asked only for its first follower.
    /// - Parameter position: The number of the last event the follower was given.
    func follow(
        _ stream: StreamID, _ follower: AnyObject, lastSeq: () throws -> Int64,
        position: @escaping @Sendable () -> Int64, wake: @escaping @Sendable () -> Void
    ) rethrows {
        // Registered first, read afterwards: what commits in between is in the log and wakes us.
        let isFirst = streams.withLock { streams in
            let isFirst = streams[stream] == nil
            streams[stream, default: Stream(lastSeq: 0)].followers[ObjectIdentifier(follower)] = Follower(
                position: position, wake: wake)
            return isFirst
        }
        guard isFirst else { return }
        let last = try lastSeq()
        streams.withLock { streams in
            if let seen = streams[stream]?.lastSeq { streams[stream]?.lastSeq = max(seen, last) }
        }
    }

    /// - Returns: The stream's last number, as far as it was seen.
    @discardableResult
    func leave(_ stream: StreamID, _ follower: AnyObject) -> Int64 {
        streams.withLock { streams in
            let last = streams[stream]?.lastSeq ?? 0
            streams[stream]?.followers[ObjectIdentifier(follower)] = nil
            if streams[stream]?.followers.isEmpty == true { streams[stream] = nil }
            return last
        }
    }

    /// New events have been committed; in order, and in the order of the commits.
    func publish(_ events: [CommittedEvent]) {
        let wakes = streams.withLock { streams in
            var wakes: [ObjectIdentifier: @Sendable () -> Void] = [:]
            for event in events {
                guard var followed = streams[event.envelope.stream] else { continue }
                // Changed in place: the ring is not copied.
                streams[event.envelope.stream] = nil
                followed.frames.append(event.frame())
                if followed.frames.count > Self.framesMax { followed.frames.removeFirst(Self.framesMax / 4) }
                followed.lastSeq = max(followed.lastSeq, event.envelope.streamSeq)
                for (id, follower) in followed.followers { wakes[id] = follower.wake }
                streams[event.envelope.stream] = followed
            }
            return wakes
        }
        for wake in wakes.values { wake() }
    }

    enum Answer: Sendable {
        case frames([Frame])
        /// The follower has seen all there is.
        case upToDate
        /// The frames it needs are only in the log.
        case readLog
    }

    /// What comes after `seq`.
    func frames(of stream: StreamID, after seq: Int64, bytesMax: Int) -> Answer {
        streams.withLock { streams in
            guard let followed = streams[stream] else { return .readLog }
            if seq >= followed.lastSeq { return .upToDate }
            guard let first = followed.frames.first, first.seq <= seq + 1 else { return .readLog }
            var bytes = 0
            let next = followed.frames.dropFirst(Int(seq + 1 - first.seq)).prefix { frame in
                defer { bytes += frame.bytes.count }
                return bytes == 0 || bytes + frame.bytes.count <= bytesMax
            }
            return .frames(Array(next))
        }
    }

    var followerCount: Int { streams.withLock { $0.values.reduce(0) { $0 + $1.followers.count } } }

    /// How many events each follower has not been given yet.
    var lags: [Int64] {
        // Asked outside the lock: a follower may hold its own while it asks us.
        let followers = streams.withLock { streams in
            streams.values.flatMap { stream in stream.followers.values.map { (stream.lastSeq, $0.position) } }
        }
        return followers.map { lastSeq, position in max(0, lastSeq - position()) }
    }

    /// Whether followers shall go and come back to the next process.
    var isEnding: Bool { ending.load(ordering: .relaxed) }

    /// Sends every follower away: the server drains, and streams have no end of their own.
    func endAll() {
        ending.store(true, ordering: .relaxed)
        wakeAll()
    }

    /// Wakes every follower, for a heartbeat.
    func wakeAll() {
        let wakes = streams.withLock { $0.values.flatMap { $0.followers.values.map(\.wake) } }
        for wake in wakes { wake() }
    }

    static func frame(_ event: StoredEvent) -> Frame {
        var writer = JSONWriter(reserving: 1024)
        event.write(.stream, to: &writer)
        return Frame(
            seq: event.envelope.streamSeq,
            bytes: SSEWriter.frame(id: String(event.envelope.streamSeq), data: writer.bytes))
    }

    static func frame(_ event: Recorded<DomainEvent>) -> Frame {
        // The payload was encodable when it was recorded a moment ago.
        frame(StoredEvent(event.envelope, data: try! JSON.canonical(encoding: AnyPayload(event.event.payload))))
    }
}
