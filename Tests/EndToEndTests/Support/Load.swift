import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared
import Synchronization
import Testing

/// Clients that write as fast as they are answered, and remember what they were told: the oracle outside the system.
final class Load: Sendable {
    enum Outcome: Hashable, Sendable {
        /// Acknowledged: it is in the log, as this commit.
        case done(commitSeq: Int64)
        /// Refused: it is not in the log.
        case refused
        /// The connection died on the way: it is in the log once or not at all.
        case unknown
    }

    /// A write that leaves exactly one event of its own, found again by its key.
    struct Operation: Sendable {
        var key: String
        var outcome: Outcome
        /// To be sent again, under the same idempotency key.
        var request: HTTPClientRequest?
    }

    private struct State {
        var operations: [Operation] = []
        var isStopping = false
        var latencies = Figures()
    }

    private struct Stopped: Error {}

    private let stage: Stage
    private let room: RoomID
    private let name: String
    private let state = Mutex(State())
    private let threads = Mutex<[Thread]>([])

    /// - Parameter name: Different for every load of a stage: it is in all keys.
    init(_ stage: Stage, in room: RoomID, name: String) { (self.stage, self.room, self.name) = (stage, room, name) }

    var operations: [Operation] { state.withLock { $0.operations } }
    var latencies: Figures { state.withLock { $0.latencies } }

    /// Each client has a room and an engine of its own, and goes on until the api is gone.
    func start(clients: Int) throws {
        let engines = try (0..<clients).map { try stage.engineClient("\(name)-\($0)") }
        let rooms = try (0..<clients).map { try stage.room("\(name)-\($0)") }
        let started = (0..<clients).map { index in
            Thread.start("load-\(index)") { [self] in
                try? work("\(name)-\(index)", rooms[index], stage.client(), engines[index].client)
            }
        }
        threads.withLock { $0 = started }
    }

    /// The clients end after the request they are at.
    func stop() { state.withLock { $0.isStopping = true } }

    func join() {
        for thread in threads.withLock({ $0 }) { #expect(thread.join(milliseconds: 30_000), "a client hangs") }
    }

    private func work(_ name: String, _ room: RoomID, _ client: APIClient, _ engine: APIClient) throws {
        var count = 0
        while !state.withLock({ $0.isStopping }) {
            count += 1
            let key = "\(name)-\(count)"
            _ = try post(client, "/v1/rooms", ["title": .string(key)], "room.created/\(key)", isReplayable: true)
            _ = try post(
                client, "/v1/runs", ["room_id": .string(room.rawValue), "title": .string(key), "input": ["n": 1]],
                "run.created/\(key)", isReplayable: true)
            guard let claim = try claim(engine, room), let run = claim["run_id"]?.stringValue,
                let token = claim["claim_token"]
            else { continue }
            let step = try post(
                engine, "/v1/runs/\(run)/steps", ["claim_token": token, "kind": "note", "title": .string(key)],
                "step.created/\(key)", isReplayable: true)
            if let step = step?["step_id"]?.stringValue {
                let call = try post(
                    engine, "/v1/steps/\(step)/toolcalls",
                    ["claim_token": token, "tool_name": "lookup", "title": .string(key), "input": ["q": .string(key)]],
                    "tool.invoked/\(key)")
                if let call = call?["tool_call_id"]?.stringValue {
                    _ = try post(
                        engine, "/v1/toolcalls/\(call)/succeed", ["claim_token": token, "output": ["ok": true]],
                        "tool.succeeded/\(call)", isReplayable: true)
                }
            }
            _ = try post(
                engine, "/v1/runs/\(run)/complete", ["claim_token": token, "summary": .string(key)],
                "run.completed/\(run)", isReplayable: true)
        }
    }

    private func claim(_ engine: APIClient, _ room: RoomID) throws -> JSONValue? {
        // The key is known only from the answer; a lost one is settled by the run's attempts.
        let answer = try send(engine, "/v1/runs/claim", ["room_id": .string(room.rawValue)], nil)
        guard let answer, let run = answer.body["run"], run != .null, let id = run["run_id"]?.stringValue else {
            return nil
        }
        note(
            Operation(
                key: "run.started/\(id)/\(run["attempt_no"]?.intValue ?? 0)",
                outcome: .done(commitSeq: answer.commitSeq)))
        return run
    }

    private func post(
        _ client: APIClient, _ path: String, _ body: JSONValue, _ key: String, isReplayable: Bool = false
    ) throws -> JSONValue? {
        let idempotencyKey = isReplayable ? key.replacing("/", with: "-") : nil
        do {
            guard let answer = try send(client, path, body, idempotencyKey) else {
                note(Operation(key: key, outcome: .refused))
                return nil
            }
            note(Operation(key: key, outcome: .done(commitSeq: answer.commitSeq)))
            return answer.body
        } catch let error as Unanswered {
            if error.wasSent {
                note(Operation(key: key, outcome: .unknown, request: isReplayable ? error.request : nil))
            }
            throw Stopped()
        }
    }

    private struct Unanswered: Error {
        var wasSent: Bool
        var request: HTTPClientRequest
    }

    private func send(
        _ client: APIClient, _ path: String, _ body: JSONValue, _ idempotencyKey: String?
    ) throws -> (body: JSONValue, commitSeq: Int64)? {
        var request = client.request(.post, path)
        request.body = .bytes(body.jsonBytes)
        request.fields.append(.contentType, "application/json")
        if let idempotencyKey { request.fields.append(.idempotencyKey, idempotencyKey) }
        let clock = SystemClock()
        let begin = clock.monotonicNanoseconds()
        do throws(APIFailure) {
            let response = try client.send(request)
            let taken = clock.monotonicNanoseconds() - begin
            state.withLock { $0.latencies.add(taken) }
            return ((try? JSON.parse(response.body)) ?? .null, response.fields[.xCommitSeq].flatMap { Int64($0) } ?? 0)
        } catch {
            switch error {
            case .refused: return nil
            case .transport(.unreachable): throw Unanswered(wasSent: false, request: request)
            case .transport, .badAnswer: throw Unanswered(wasSent: true, request: request)
            }
        }
    }

    private func note(_ operation: Operation) { state.withLock { $0.operations.append(operation) } }

    /// Sends again what stayed unanswered: afterwards it is done, once.
    func replayUnknown() throws {
        let client = stage.client()
        for index in operations.indices {
            let operation = operations[index]
            guard operation.outcome == .unknown, let request = operation.request else { continue }
            // A write by a claim may have lost its lease by now; then it is refused and counts as unknown still.
            guard let response = try? client.transport.send(request), response.status.code < 300 else { continue }
            let seq = response.fields[.xCommitSeq].flatMap { Int64($0) }
            state.withLock { $0.operations[index].outcome = seq.map { .done(commitSeq: $0) } ?? .done(commitSeq: 0) }
        }
    }

    /// The key under which an event was written, if a load wrote it.
    static func key(of event: EventRow) -> String? {
        let data = event.data
        let name: String? =
            switch event.eventType {
            case "room.created", "run.created", "step.created", "tool.invoked": data["title"]?.stringValue
            case "tool.succeeded": data["tool_call_id"]?.stringValue
            case "run.completed": event.runID?.rawValue
            case "run.started": event.runID.map { "\($0)/\(data["attempt_no"]?.intValue ?? 0)" }
            default: nil
            }
        return name.map { "\(event.eventType)/\($0)" }
    }

    /// What was acknowledged is there once, with the commit that was said; what was refused is not; the rest at most
    /// once. `isComplete`: nothing may be there that was not acknowledged.
    static func check(
        _ operations: [Operation], against events: [EventRow], mayHaveUnknown: Bool = true,
        _ location: SourceLocation = #_sourceLocation
    ) -> (acknowledged: Int, unknownThere: Int, unknownGone: Int) {
        var found: [String: [Int64]] = [:]
        /// The manifest that seals a run is the last event of the command that ends it.
        var sealed: [String: Int64] = [:]
        for event in events {
            if let key = key(of: event) { found[key, default: []].append(event.globalSeq) }
            if event.eventType == EvidenceManifestCreated.type, let run = event.runID {
                sealed["run.completed/\(run)"] = event.globalSeq
            }
        }
        var counts = (acknowledged: 0, unknownThere: 0, unknownGone: 0)
        var (lost, doubled, wrong, ghosts, unanswered): ([String], [String], [String], [String], [String]) =
            ([], [], [], [], [])
        for operation in operations {
            let there = found[operation.key] ?? []
            if there.count > 1 { doubled.append(operation.key) }
            switch operation.outcome {
            case .done(let seq):
                counts.acknowledged += 1
                if there.isEmpty { lost.append(operation.key) }
                // The commit number is that of the command's last event.
                if let last = sealed[operation.key] ?? there.first, seq != 0, last != seq {
                    wrong.append("\(operation.key): \(last), said \(seq)")
                }
            case .refused: if !there.isEmpty { ghosts.append(operation.key) }
            case .unknown:
                if there.isEmpty { counts.unknownGone += 1 } else { counts.unknownThere += 1 }
                if !there.isEmpty, !mayHaveUnknown { unanswered.append(operation.key) }
            }
        }
        #expect(lost.isEmpty, "acknowledged and lost: \(lost.count) \(lost.prefix(5))", sourceLocation: location)
        #expect(doubled.isEmpty, "more than once: \(doubled.prefix(5))", sourceLocation: location)
        #expect(wrong.isEmpty, "under another commit: \(wrong.prefix(5))", sourceLocation: location)
        #expect(ghosts.isEmpty, "refused and there: \(ghosts.prefix(5))", sourceLocation: location)
        #expect(unanswered.isEmpty, "done and not answered: \(unanswered.prefix(5))", sourceLocation: location)
        return counts
    }
}
