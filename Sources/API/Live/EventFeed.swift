import DatabaseCore
import EventStore
import HTTP
import HTTPServer
import Platform
import Shared
import Synchronization

/// The events of a room or a workspace as server-sent events, from a number on, without gap or double, for as long as the
/// client listens.
final class EventFeed: BodySource {
    /// Events read from the log at once.
    private static let pageEvents = 100
    /// A comment after so long without an event tells proxies and clients that the stream lives.
    static let heartbeatMilliseconds: Int64 = 15_000
    /// How often it is asked whether the follower may go on: how late the end of a session ends its streams.
    static let checkMilliseconds: Int64 = 5_000
    /// How soon a follower shall come back when the server ends.
    private static let retryMilliseconds = 1_000

    private struct State {
        var seq: Int64
        var hasBegun = false
        var hasSaidGoodbye = false
        var lastSentMs: Int64
        var checkedMs: Int64
        var isAllowed = true
        var hasEnded = false
    }

    private let topic: EventTopic
    private let hub: EventHub
    private let database: any Database
    private let clock: any Clock
    private let metrics: Metrics
    private let mayGoOn: @Sendable () -> Bool
    private let state: Mutex<State>
    /// `State.seq` for who must not wait for the state.
    private let givenSeq: Atomic<Int64>

    /// - Parameter mayGoOn: Whether the follower's credential is still good; asked now and then.
    init(
        _ topic: EventTopic, after seq: Int64, hub: EventHub, database: any Database, clock: any Clock,
        metrics: Metrics, mayGoOn: @escaping @Sendable () -> Bool
    ) {
        (self.topic, self.hub, self.database, self.clock) = (topic, hub, database, clock)
        (self.metrics, self.mayGoOn) = (metrics, mayGoOn)
        let now = clock.monotonicMilliseconds()
        state = Mutex(State(seq: seq, lastSentMs: now, checkedMs: now))
        givenSeq = Atomic(seq)
    }

    func attach(_ wake: @escaping @Sendable () -> Void) {
        do {
            try hub.follow(
                topic, self, lastSeq: { try database.read { try topic.lastSeq(in: $0) } },
                position: { [self] in givenSeq.load(ordering: .relaxed) }, wake: wake)
        } catch {
            state.withLock { $0.hasEnded = true }
            wake()
        }
    }

    func detach() {
        let last = hub.leave(topic, self)
        if !hub.isEnding, givenSeq.load(ordering: .relaxed) < last { metrics.followersDropped.add() }
    }

    func next(atMost bytes: Int) -> BodyChunk {
        let now = clock.monotonicMilliseconds()
        return state.withLock { state in
            if state.hasEnded { return .abort }
            guard state.hasBegun else {
                // Sends the headers on their way before the first event; and where a client that asked for what comes
                // from now on has to go on when it is cut off before there was any.
                state.hasBegun = true
                if case .workspace = topic { return .bytes(SSEWriter.position(id: String(state.seq))) }
                return .bytes(Array("\n".utf8))
            }
            if now - state.checkedMs >= Self.checkMilliseconds {
                (state.checkedMs, state.isAllowed) = (now, mayGoOn())
            }
            if hub.isEnding || !state.isAllowed {
                if state.hasSaidGoodbye { return .end }
                state.hasSaidGoodbye = true
                return .bytes(SSEWriter.retry(milliseconds: Self.retryMilliseconds))
            }
            let frames: [EventHub.Frame]
            switch hub.frames(of: topic, after: state.seq, bytesMax: bytes) {
            case .frames(let ready): frames = ready
            case .upToDate: frames = []
            case .readLog:
                do { frames = try page(after: &state.seq) } catch { return .abort }
            }
            guard let last = frames.last else {
                guard now - state.lastSentMs >= Self.heartbeatMilliseconds else { return .wait }
                state.lastSentMs = now
                return .bytes(SSEWriter.keepAlive)
            }
            (state.seq, state.lastSentMs) = (last.seq, now)
            givenSeq.store(last.seq, ordering: .relaxed)
            return .bytes(frames.count == 1 ? last.bytes : frames.flatMap(\.bytes))
        }
    }

    /// - Parameter seq: Moves on past what belongs to others when nothing is left for us.
    private func page(after seq: inout Int64) throws -> [EventHub.Frame] {
        metrics.followerLogReads.add()
        let (frames, last) = try database.read { [seq] transaction in
            let last = try topic.lastSeq(in: transaction)
            let events = try EventQueries.events(topic.filter(after: seq), limit: Self.pageEvents, in: transaction)
            return (events.map { EventHub.frame($0, topic) }, last)
        }
        if frames.isEmpty { seq = max(seq, last) }
        return frames
    }
}

extension EventTopic {
    /// The number of the last event, of the topic's own or, for a workspace, of the whole log.
    func lastSeq(in transaction: any ReadTransaction) throws -> Int64 {
        switch self {
        case .stream(let stream): try EventQueries.lastSeq(of: stream, in: transaction)
        case .workspace: try EventQueries.lastGlobalSeq(in: transaction)
        }
    }

    func filter(after seq: Int64) -> EventFilter {
        switch self {
        case .stream(let stream):
            var filter = EventFilter()
            (filter.stream, filter.afterStreamSeq) = (stream, seq)
            return filter
        case .workspace(let workspace, let withSystem):
            var filter = EventFilter(workspaces: withSystem ? [workspace, .system] : [workspace])
            filter.afterGlobalSeq = seq
            return filter
        }
    }
}
