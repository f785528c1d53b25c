import APIClient
import CLinux
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import Synchronization
import Testing

/// Follows a room by server-sent events, as a browser does: after every end it comes back with `Last-Event-ID`.
final class Follower: Sendable {
    /// One event as it came: its number, and a digest of its bytes.
    struct Entry: Hashable, Sendable {
        var id: Int64
        var digest: UInt64
    }

    private struct State {
        var transcript: [Entry] = []
        var arrivals: [Int64: Int64] = [:]
        var connections = 0
        var faults: [String] = []
        var isStopping = false
    }

    private static let reconnectMilliseconds: Int64 = 5

    /// Where it follows, one after the other.
    private let stages: [Stage]
    private let room: RoomID
    private let name: String
    /// How many bytes until the connection is dropped; nil for ever.
    private let patience: (@Sendable () -> Int)?
    private let keepsTimes: Bool
    private let state = Monitor(State())
    private let cancellation = HTTPCancellation()
    private let thread = Mutex<Thread?>(nil)

    init(
        _ stages: Stage..., room: RoomID, name: String, keepsTimes: Bool = false,
        patience: (@Sendable () -> Int)? = nil
    ) {
        (self.stages, self.room, self.name, self.patience) = (stages, room, name, patience)
        self.keepsTimes = keepsTimes
    }

    var transcript: [Entry] { state.read { $0.transcript } }
    /// When the event's frame began to arrive, by its number.
    var arrivals: [Int64: Int64] { state.read { $0.arrivals } }
    var connections: Int { state.read { $0.connections } }
    var faults: [String] { state.read { $0.faults } }

    func start() {
        thread.withLock {
            $0 = Thread.start(name) { [self] in
                while !state.read({ $0.isStopping }) {
                    follow()
                    _ = state.wait(milliseconds: Self.reconnectMilliseconds) { $0.isStopping ? true : nil }
                }
            }
        }
    }

    func stop() {
        state.update { $0.isStopping = true }
        cancellation.cancel()
        thread.withLock { $0 }?.join(milliseconds: 10_000)
    }

    /// Waits until the transcript is as long as the room's stream is now.
    func catchUp(milliseconds: Int64 = 20_000) throws {
        var (last, isWhole) = (Int64(0), false)
        while !isWhole {
            let verified = try stages[0].client().call(
                .verifyStream, Nothing(),
                query: [("stream_type", "room"), ("stream_id", room.rawValue), ("from_seq", String(last))])
            (last, isWhole) = (verified.lastStreamSeq, !verified.truncated)
        }
        try wait(until: last, milliseconds: milliseconds)
    }

    func wait(until last: Int64, milliseconds: Int64 = 20_000) throws {
        let reached = state.wait(milliseconds: milliseconds) { ($0.transcript.last?.id ?? 0) >= last ? true : nil }
        try #require(reached != nil, "\(name) is at \(transcript.last?.id ?? 0) of \(last) \(faults.suffix(3))")
    }

    /// What a reader of the log sees, in the same form.
    static func log(_ stage: Stage, _ room: RoomID) throws -> [Entry] {
        let reader = Follower(stage, room: room, name: "reader")
        reader.start()
        defer { reader.stop() }
        try reader.catchUp()
        return reader.transcript
    }

    // MARK: One connection

    private func follow() {
        let client = stages[connections % stages.count].client()
        var request = client.request(.get, "/v1/streams/rooms/\(room)", deadlineMilliseconds: 600_000)
        request.cancellation = cancellation
        let last = transcript.last?.id ?? 0
        if last > 0 { request.fields.append(.lastEventID, String(last)) }
        var (left, frames) = (patience?() ?? .max, Frames())
        do {
            state.update { $0.connections += 1 }
            try client.transport.stream(
                request,
                onHead: { head in
                    if head.status != .ok { throw APIFailure(head) }
                }
            ) { bytes in
                let taken = bytes.prefix(left)
                left -= taken.count
                take(frames.receive(taken))
                return left > 0
            }
        } catch let failure as APIFailure {
            // While it drains it may say so; anything else is no way to treat a follower.
            if failure.code != .draining { state.update { $0.faults.append("\(failure)") } }
        } catch {}
    }

    private func take(_ frames: [(id: Int64, digest: UInt64)]) {
        guard !frames.isEmpty else { return }
        let now = keepsTimes ? SystemClock().monotonicNanoseconds() : 0
        state.update { state in
            for frame in frames {
                state.transcript.append(Entry(id: frame.id, digest: frame.digest))
                if keepsTimes { state.arrivals[frame.id] = now }
            }
        }
    }

    /// Cuts the stream into frames; made for speed, because fifty of these share two cores with what they test.
    private struct Frames {
        private var rest: [UInt8] = []

        mutating func receive(_ bytes: ArraySlice<UInt8>) -> [(id: Int64, digest: UInt64)] {
            rest.append(contentsOf: bytes)
            var found: [(id: Int64, digest: UInt64)] = []
            var start = 0
            rest.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                var frame = start
                var line = start
                while let end = memchr(base + line, 10, buffer.count - line) {
                    let next = base.distance(to: end.assumingMemoryBound(to: UInt8.self)) + 1
                    // An empty line ends a frame.
                    if next == line + 1 {
                        if let entry = Self.entry(UnsafeBufferPointer(rebasing: buffer[frame..<line])) {
                            found.append(entry)
                        }
                        frame = next
                    }
                    line = next
                }
                start = frame
            }
            if start > 0 { rest.removeFirst(start) }
            return found
        }

        private static func entry(_ frame: UnsafeBufferPointer<UInt8>) -> (id: Int64, digest: UInt64)? {
            guard frame.count > 4, frame[0] == UInt8(ascii: "i"), frame[1] == UInt8(ascii: "d") else { return nil }
            var (id, index) = (Int64(0), 4)
            while index < frame.count, frame[index] != 10 {
                id = id * 10 + Int64(frame[index]) - 48
                index += 1
            }
            var hasher = Hasher()
            hasher.combine(bytes: UnsafeRawBufferPointer(frame))
            return (id, UInt64(bitPattern: Int64(hasher.finalize())))
        }
    }
}
