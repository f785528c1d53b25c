import EventStore
import HTTP
import JSON
import Shared
import Synchronization

/// What somebody follows.
enum EventTopic: Hashable, Sendable {
    /// One stream, by its numbers, which have no gap.
    case stream(StreamID)
    /// Everything of a workspace, with the instance's own events or without, by `global_seq`: what is in between belongs to
    /// others.
    case workspace(WorkspaceID, withSystem: Bool)

    /// The number of the event among those of the topic.
    func seq(of event: EventEnvelope) -> Int64 {
        switch self {
        case .stream: event.streamSeq
        case .workspace: event.globalSeq
        }
    }
}

/// Hands new events to the followers of their topics: encoded once, shared by all, never before the commit.
///
/// The hub is only a shortcut: whoever finds nothing here reads the log, so a slow or late follower costs no memory.
final class EventHub: Sendable {
    /// Frames kept for followers that are a little behind.
    static let framesMax = 512

    struct Frame: Sendable {
        var eventID: EventID
        var seq: Int64
        var bytes: [UInt8]
    }

    private struct Follower {
        /// The number of the last event it was given.
        var position: @Sendable () -> Int64
        var wake: @Sendable () -> Void
    }

    private struct Followed {
        /// The newest events of the topic, none of them missing.
        var frames: [Frame] = []
        /// The number of the topic's last event, as far as the hub has seen.
        var lastSeq: Int64
        var followers: [ObjectIdentifier: Follower] = [:]
    }

    private let topics = Mutex<[EventTopic: Followed]>([:])
    private let ending = Atomic<Bool>(false)

    /// Registers a follower.
    /// - Parameter lastSeq: The topic's last number, asked only for its first follower.
    /// - Parameter position: The number of the last event the follower was given.
    func follow(
        _ topic: EventTopic, _ follower: AnyObject, lastSeq: () throws -> Int64,
        position: @escaping @Sendable () -> Int64, wake: @escaping @Sendable () -> Void
    ) rethrows {
        // Registered first, read afterwards: what commits in between is in the log and wakes us.
        let isFirst = topics.withLock { topics in
            let isFirst = topics[topic] == nil
            topics[topic, default: Followed(lastSeq: 0)].followers[ObjectIdentifier(follower)] = Follower(
                position: position, wake: wake)
            return isFirst
        }
        guard isFirst else { return }
        let last = try lastSeq()
        topics.withLock { topics in
            if let seen = topics[topic]?.lastSeq { topics[topic]?.lastSeq = max(seen, last) }
        }
    }

    /// - Returns: The topic's last number, as far as it was seen.
    @discardableResult
    func leave(_ topic: EventTopic, _ follower: AnyObject) -> Int64 {
        topics.withLock { topics in
            let last = topics[topic]?.lastSeq ?? 0
            topics[topic]?.followers[ObjectIdentifier(follower)] = nil
            if topics[topic]?.followers.isEmpty == true { topics[topic] = nil }
            return last
        }
    }

    /// New events have been committed; in order, and in the order of the commits.
    func publish(_ events: [CommittedEvent]) {
        let wakes = topics.withLock { topics in
            var wakes: [ObjectIdentifier: @Sendable () -> Void] = [:]
            for event in events {
                for topic in Self.topics(of: event.envelope, among: topics) {
                    guard var followed = topics[topic] else { continue }
                    // Changed in place: the ring is not copied.
                    topics[topic] = nil
                    followed.frames.append(event.frame(topic))
                    if followed.frames.count > Self.framesMax { followed.frames.removeFirst(Self.framesMax / 4) }
                    followed.lastSeq = max(followed.lastSeq, topic.seq(of: event.envelope))
                    for (id, follower) in followed.followers { wakes[id] = follower.wake }
                    topics[topic] = followed
                }
            }
            return wakes
        }
        for wake in wakes.values { wake() }
    }

    /// Those of the followed topics that the event belongs to.
    private static func topics(of event: EventEnvelope, among topics: [EventTopic: Followed]) -> [EventTopic] {
        let workspace = event.workspaceID
        var found: [EventTopic] = [
            .stream(event.stream), .workspace(workspace, withSystem: false), .workspace(workspace, withSystem: true),
        ]
        if workspace == .system {
            found += topics.keys.filter {
                if case .workspace(let other, withSystem: true) = $0 { other != .system } else { false }
            }
        }
        return found
    }

    /// What the event said was erased: its frame, and those before it, are read from the log from now on.
    func forget(_ event: EventID) {
        topics.withLock { topics in
            for (topic, followed) in topics {
                guard let index = followed.frames.firstIndex(where: { $0.eventID == event }) else { continue }
                topics[topic]?.frames.removeFirst(index + 1)
            }
        }
    }

    enum Answer: Sendable {
        case frames([Frame])
        /// The follower has seen all there is.
        case upToDate
        /// The frames it needs are only in the log.
        case readLog
    }

    /// What comes after `seq`.
    func frames(of topic: EventTopic, after seq: Int64, bytesMax: Int) -> Answer {
        topics.withLock { topics in
            guard let followed = topics[topic] else { return .readLog }
            if seq >= followed.lastSeq { return .upToDate }
            guard let first = followed.frames.first, first.seq <= seq + 1 else { return .readLog }
            var bytes = 0
            let next = followed.frames[Self.firstIndex(in: followed.frames, after: seq)...].prefix { frame in
                defer { bytes += frame.bytes.count }
                return bytes == 0 || bytes + frame.bytes.count <= bytesMax
            }
            return .frames(Array(next))
        }
    }

    private static func firstIndex(in frames: [Frame], after seq: Int64) -> Int {
        var (low, high) = (0, frames.count)
        while low < high {
            let middle = (low + high) / 2
            if frames[middle].seq > seq { high = middle } else { low = middle + 1 }
        }
        return low
    }

    var followerCount: Int { topics.withLock { $0.values.reduce(0) { $0 + $1.followers.count } } }

    /// How many events each follower has not been given yet.
    var lags: [Int64] {
        // Asked outside the lock: a follower may hold its own while it asks us.
        let followers = topics.withLock { topics in
            topics.values.flatMap { topic in topic.followers.values.map { (topic.lastSeq, $0.position) } }
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
        let wakes = topics.withLock { $0.values.flatMap { $0.followers.values.map(\.wake) } }
        for wake in wakes { wake() }
    }

    static func frame(_ event: StoredEvent, _ topic: EventTopic) -> Frame {
        var writer = JSONWriter(reserving: 1024)
        event.write(.stream, to: &writer)
        let seq = topic.seq(of: event.envelope)
        return Frame(
            eventID: event.envelope.eventID, seq: seq,
            bytes: SSEWriter.frame(id: String(seq), data: writer.bytes))
    }

    static func frame(_ event: Recorded<DomainEvent>, _ topic: EventTopic) -> Frame {
        // The payload was encodable when it was recorded a moment ago.
        frame(StoredEvent(event.envelope, data: try! JSON.canonical(encoding: AnyPayload(event.event.payload))), topic)
    }
}
