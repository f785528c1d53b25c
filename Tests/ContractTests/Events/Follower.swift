import APIClient
import HTTP
import HTTPClient
import Shared
import TestSupport

/// A client of a room's stream, as a browser is one: it remembers where it was and comes back.
final class Follower {
    private let client: APIClient
    private let target: String
    private(set) var events: [SSEEvent] = []
    private(set) var comments = 0
    private(set) var connections = 0
    private var lastEventID = ""

    init(_ api: TestAPI, room: RoomID, from seq: Int64? = nil) {
        client = api.operator
        target = "/v1/streams/rooms/\(room)" + (seq.map { "?from_seq=\($0)" } ?? "")
    }

    /// The numbers of the events, as the ids say.
    var seqs: [Int64] { events.compactMap { Int64($0.id) } }

    /// Reads until the event with this number is there.
    /// - Parameter cut: The connection is cut after so many bytes, and made again, for as long as it takes.
    func read(until seq: Int64, cut: () -> Int = { .max }) throws {
        while (seqs.last ?? 0) < seq { try connect(until: seq, bytes: cut()) }
    }

    private func connect(until seq: Int64, bytes: Int) throws {
        connections += 1
        var fields: HTTPFields = [.accept: "text/event-stream"]
        if !lastEventID.isEmpty { fields.append(.lastEventID, lastEventID) }
        var parser = SSEParser()
        var left = bytes
        let request = client.request(.get, target, fields: fields, deadlineMilliseconds: 30_000)
        try client.transport.stream(request) { head in
            guard head.status == .ok else { throw TestFailure("the stream answers \(head.status.code)") }
        } onBytes: { bytes in
            let taken = bytes.prefix(left)
            left -= taken.count
            for event in try parser.receive(taken) {
                events.append(event)
                lastEventID = event.id
            }
            return left > 0 && (seqs.last ?? 0) < seq
        }
    }
}
