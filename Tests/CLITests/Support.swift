import APIClient
import CLI
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import Synchronization

/// What a command has said.
final class Recorder: Sendable {
    private let bytes = Mutex<(output: [UInt8], error: [UInt8])>(([], []))

    var output: String { bytes.withLock { String(decoding: $0.output, as: UTF8.self) } }
    var error: String { bytes.withLock { String(decoding: $0.error, as: UTF8.self) } }
    var outputLines: [String] {
        output.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    func console(_ screen: Console.Screen = .pipe) -> Console {
        Console(output: screen, error: screen) { descriptor, bytes in
            self.bytes.withLock { state in
                if descriptor == 1 { state.output += bytes } else { state.error += bytes }
            }
        }
    }
}

extension Console.Screen {
    static let plainTerminal = Console.Screen(isTerminal: true, hasColour: false, hasUnicode: true, columns: 100)
}

/// An api that answers from a script, and remembers what it was asked.
final class FakeAPI: HTTPTransport {
    enum Answer: Sendable {
        case json(Int, JSONValue)
        /// Pieces of a stream; then the connection ends as told.
        case stream([[UInt8]], HTTPClientError?)
        case failure(HTTPClientError)
    }

    struct Asked: Sendable, Hashable {
        var line: String
        var lastEventID: String?
        var body: String
    }

    private let handler: @Sendable (String, Int) -> Answer
    private let log = Mutex<[Asked]>([])

    /// - Parameter handler: Gets `METHOD target` and how often that was asked before.
    init(_ handler: @escaping @Sendable (String, Int) -> Answer) { self.handler = handler }

    var asked: [Asked] { log.withLock { $0 } }
    var lines: [String] { asked.map(\.line) }

    func send(_ request: HTTPClientRequest) throws(HTTPClientError) -> HTTPResponse {
        switch answer(request) {
        case .json(let status, let value): return HTTPResponse(HTTPStatus(code: status), body: value.jsonBytes)
        case .failure(let error): throw error
        case .stream: throw .protocolError("a stream was not expected here")
        }
    }

    func stream(
        _ request: HTTPClientRequest, onHead: (HTTPResponse) throws -> Void,
        onBytes: (ArraySlice<UInt8>) throws -> Bool
    ) throws {
        switch answer(request) {
        case .json(let status, let value):
            try onHead(HTTPResponse(HTTPStatus(code: status)))
            _ = try onBytes(value.jsonBytes[...])
        case .failure(let error): throw error
        case .stream(let pieces, let end):
            try onHead(HTTPResponse(.ok))
            for piece in pieces where try !onBytes(piece[...]) { return }
            if let end { throw end }
        }
    }

    private func answer(_ request: HTTPClientRequest) -> Answer {
        let line = "\(request.method.rawValue) \(request.target)"
        var body = ""
        if case .bytes(let bytes) = request.body { body = String(decoding: bytes, as: UTF8.self) }
        let before = log.withLock { log in
            defer { log.append(Asked(line: line, lastEventID: request.fields[.lastEventID], body: body)) }
            return log.count { $0.line == line }
        }
        return handler(line, before)
    }
}

/// Runs a command line against a scripted api.
func aos(
    _ words: [String], _ api: FakeAPI = FakeAPI { _, _ in .failure(.unreachable("nobody")) },
    screen: Console.Screen = .pipe, environment: [String: String] = ["AOS_TOKEN": "token"]
) -> (exit: ExitCode, said: Recorder) {
    let recorder = Recorder()
    let session = Session(console: recorder.console(screen), environment: environment, clock: FixedClock()) {
        _ throws(HTTPClientError) in api
    }
    return (CLIProgram.run(words, session), recorder)
}

/// 2026-03-04T05:06:07Z, for ever.
struct FixedClock: Clock {
    static let now = Timestamp("2026-03-04T05:06:07.000Z")!

    func monotonicNanoseconds() -> Int64 { 1_000_000_000 }
    func wallMilliseconds() -> Int64 { Self.now.milliseconds }
}

enum Samples {
    static let roomID: RoomID = "room_01AAAAAAAAAAAAAAAAAAAAAAAA"
    static let runID: RunID = "run_01BBBBBBBBBBBBBBBBBBBBBBBB"
    static let stepID: StepID = "step_01CCCCCCCCCCCCCCCCCCCCCCCC"

    static func run(
        _ id: RunID = runID, _ status: RunStatus = .running, title: String? = "site check"
    ) -> Run {
        var run = Run(runID: id, workspaceID: .development, correlationID: "c", at: FixedClock.now)
        (run.roomID, run.status, run.title) = (roomID, status, title)
        return run
    }

    static func json(_ run: Run) -> JSONValue { try! JSON.value(of: run, nulls: .write) }

    static func event(
        _ seq: Int64, _ payload: any EventPayload, run: RunID? = runID, step: StepID? = nil
    ) -> EventRow {
        EventRow(
            globalSeq: seq + 100, eventID: EventID("event-\(seq)"), eventType: type(of: payload).type, eventVersion: 1,
            occurredAt: FixedClock.now, recordedAt: FixedClock.now.adding(milliseconds: seq), workspaceID: .development,
            roomID: roomID, actorType: .service, actorID: "laptop", zone: .supervised, runID: run, stepID: step,
            streamType: .room, streamID: roomID.rawValue, streamSeq: seq, correlationID: "c",
            data: try! JSON.value(of: AnyPayload(payload)))
    }

    static func frame(_ row: EventRow) -> [UInt8] {
        SSEWriter.frame(id: String(row.streamSeq), data: try! JSON.encode(row, nulls: .write))
    }

    static func problem(_ status: Int, _ code: ReasonCode, _ detail: String) -> JSONValue {
        try! JSON.value(
            of: Problem(status: HTTPStatus(code: status), code: code.rawValue, detail: detail, requestID: "req_7"))
    }
}
