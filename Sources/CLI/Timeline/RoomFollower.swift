package import APIClient
import HTTP
import HTTPClient
import JSON
package import Platform
package import Shared

/// Follows a room's events live. A lost connection is made again where it broke: nothing is missed, nothing comes twice.
package struct RoomFollower: Sendable {
    /// An event, and its bytes as they came.
    package struct Item: Sendable {
        package var row: EventRow
        package var json: String
    }

    package enum Notice: Hashable, Sendable {
        case lost(String)
        case back
    }

    /// The server says something every 15 seconds; after so long it is gone.
    package static let silenceMillisecondsMax = 40_000
    /// How long an outage may last before the follower gives up.
    package static let outageMillisecondsMax: Int64 = 15 * 60_000
    private static let lifetimeMilliseconds = 10 * 365 * 86_400_000
    package static let pauseMillisecondsDefault: ClosedRange<Int64> = 200...3_000
    private static let problemBytesMax = 64 << 10

    private let client: APIClient
    private let room: RoomID
    private let clock: any Clock
    private let interruption: Interruption
    private let pauseMilliseconds: ClosedRange<Int64>

    /// - Parameter pauseMilliseconds: Between attempts, from the first pause to the longest.
    package init(
        _ client: APIClient, room: RoomID, clock: any Clock, interruption: Interruption,
        pauseMilliseconds: ClosedRange<Int64> = pauseMillisecondsDefault
    ) {
        (self.client, self.room, self.clock, self.interruption) = (client, room, clock, interruption)
        self.pauseMilliseconds = pauseMilliseconds
    }

    /// Hands over every event after `seq`, until `onEvent` returns false or the interruption comes.
    /// - Throws: ``APIFailure`` when the server refuses, or does not come back.
    package func follow(
        after seq: Int64, onNotice: (Notice) -> Void = { _ in }, onEvent: (Item) throws -> Bool
    ) throws {
        var last = seq
        var pause = pauseMilliseconds.lowerBound
        var lostAt: Int64?
        while !interruption.isInterrupted {
            do {
                let isDone = try listen(
                    after: &last,
                    onData: {
                        pause = pauseMilliseconds.lowerBound
                        if lostAt != nil { onNotice(.back) }
                        lostAt = nil
                    }, onEvent)
                if isDone { return }
                try lost(&lostAt, .transport(.broken("the server has ended the stream")), onNotice)
            } catch let failure as APIFailure {
                if interruption.isInterrupted { return }
                try lost(&lostAt, failure, onNotice)
            }
            guard interruption.pause(milliseconds: pause) else { return }
            pause = min(pause * 2, pauseMilliseconds.upperBound)
        }
    }

    /// Notes an outage. Throws when waiting makes no sense.
    private func lost(_ lostAt: inout Int64?, _ failure: APIFailure, _ onNotice: (Notice) -> Void) throws {
        switch failure {
        case .refused(let problem) where problem.status >= 500 || problem.status == 429: break
        case .transport(.unreachable), .transport(.timeout), .transport(.broken): break
        default: throw failure
        }
        let now = clock.monotonicMilliseconds()
        guard let since = lostAt else {
            lostAt = now
            return onNotice(.lost("\(failure)"))
        }
        if now - since > Self.outageMillisecondsMax { throw failure }
    }

    /// One connection. True when `onEvent` has had enough.
    private func listen(
        after last: inout Int64, onData: () -> Void, _ onEvent: (Item) throws -> Bool
    ) throws -> Bool {
        var fields: HTTPFields = [.accept: "text/event-stream"]
        if last > 0 { fields.append(.lastEventID, String(last)) }
        let endpoint = Endpoint<Nothing, Nothing>.roomStream
        var request = client.request(
            endpoint.method, endpoint.target(["room_id": room.rawValue]), fields: fields,
            deadlineMilliseconds: Self.lifetimeMilliseconds)
        request.idleMilliseconds = Self.silenceMillisecondsMax
        request.cancellation = interruption.cancellation
        var response = HTTPResponse(.ok)
        var parser = SSEParser()
        var isDone = false
        do {
            try client.transport.stream(request, onHead: { response = $0 }) { bytes in
                guard response.status == .ok else {
                    response.body += bytes
                    return response.body.count < Self.problemBytesMax
                }
                onData()
                for event in try parser.receive(bytes) {
                    let row = try Self.row(event)
                    // What was seen before the connection broke is not shown again.
                    guard row.streamSeq > last else { continue }
                    last = row.streamSeq
                    isDone = try !onEvent(Item(row: row, json: event.data))
                    if isDone { return false }
                }
                return true
            }
        } catch let error as HTTPClientError {
            throw APIFailure.transport(error)
        } catch let error as SSEParser.Failure {
            throw APIFailure.badAnswer("the event stream cannot be read: \(error)")
        }
        guard response.status == .ok else { throw APIFailure(response) }
        return isDone
    }

    private static func row(_ event: SSEEvent) throws(APIFailure) -> EventRow {
        do { return try JSON.decode(EventRow.self, from: Array(event.data.utf8), limits: Session.answerLimits) } catch {
            throw .badAnswer("an event of the stream: \(error)")
        }
    }
}
