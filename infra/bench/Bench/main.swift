import API
import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

// Drives a running api from outside, over its socket, and prints one JSON object: what infra/bench/run puts beside peers.
//
// usage: Bench (lifecycles|claims|claimers|sse|search) PORT TOKEN SECONDS COUNT
//        Bench fill DATA_DIR COUNT         so many events into the log of a stopped api
//        Bench previous-schema DATA_DIR COUNT
//                                          the same in a database as the version before this one left it
//        Bench export PORT TOKEN PID       takes an export, beside the memory of the api with this process id

let arguments = Program.arguments
if arguments.count == 3, arguments[0] == "fill", let count = Int(arguments[2]) {
    try LogFilling.fill(arguments[1], count)
    Program.exit(0)
}
if arguments.count == 3, arguments[0] == "previous-schema", let count = Int(arguments[2]) {
    try LogFilling.fill(arguments[1], count, Array(Storage.migrations.dropLast()))
    Program.exit(0)
}
if arguments.count == 4, arguments[0] == "export", let port = UInt16(arguments[1]), let pid = Int(arguments[3]) {
    try ExportBench(port: port, token: arguments[2], pid: pid).run()
    Program.exit(0)
}
guard arguments.count == 5, let port = UInt16(arguments[1]), let seconds = Int(arguments[3]),
    let count = Int(arguments[4])
else {
    Program.complain("usage: Bench (lifecycles|claims|claimers|sse|search) PORT TOKEN SECONDS COUNT")
    Program.exit(2)
}
let bench = Bench(port: port, token: arguments[2], seconds: seconds, count: count)
switch arguments[0] {
case "lifecycles": try bench.lifecycles()
case "claimers": try bench.claimers()
case "claims": try bench.claims()
case "sse": try bench.sse()
case "search": try bench.search()
default: Program.exit(2)
}

struct Bench: Sendable {
    let port: UInt16
    let token: String
    let seconds: Int
    let count: Int
    let clock = SystemClock()

    /// A client with a connection of its own.
    func client(_ credential: APIClient.Credential? = nil) -> APIClient {
        APIClient(
            transport: SocketTransport(host: "127.0.0.1", port: port), credential: credential ?? .bearer(token),
            workspace: nil)
    }

    func engine(_ name: String) throws -> APIClient {
        let answer = try client().call(.registerEngine, RegisterEngine(actorID: name))
        return client(.engine(answer.engine.engineID, token: answer.token.engineToken ?? ""))
    }

    func room() throws -> RoomID { try client().call(.createRoom, CreateRoom(title: "bench")).roomID }

    static let input: JSONValue = [
        "plan": ["version": 1, "steps": [["id": "work", "tool": "shell", "with": ["argv": ["true"]]]]]
    ]

    // MARK: Life cycles

    /// `count` workers: create, claim, step, call, succeed, artifact, step end, complete.
    func lifecycles() throws {
        let room = try room()
        let engines = try (0..<count).map { try engine("bench-\($0)") }
        let end = clock.monotonicMilliseconds() + Int64(seconds) * 1000
        let done = Monitor(0)
        let threads = engines.enumerated().map { index, engine in
            Thread.start("worker-\(index)") {
                let owner = client()
                while clock.monotonicMilliseconds() < end {
                    do {
                        try lifecycle(owner, engine, room)
                        done.update { $0 += 1 }
                    } catch {
                        Program.complain("life cycle failed: \(error)")
                        return
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        report(["lifecycles_per_second": .number(Double(done.read { $0 }) / Double(seconds))])
    }

    private func lifecycle(_ owner: APIClient, _ engine: APIClient, _ room: RoomID) throws {
        _ = try owner.call(.createRun, CreateRun(roomID: room, title: "bench", input: Self.input))
        guard let run = try engine.call(.claimRun, ClaimRun(plan: "required", waitMs: 1000)).run else { return }
        let token = run.claimToken
        let parameters = ["run_id": run.runID.rawValue]
        let step = try engine.call(
            .createStep, CreateStep(claimToken: token, planStepID: "work", kind: "shell"), parameters)
        let ofStep = ["step_id": step.stepID.rawValue]
        let permit = try engine.call(
            .requestToolCall,
            RequestToolCall(claimToken: token, toolName: "shell", input: ["argv": ["true"]]), ofStep)
        _ = try engine.call(
            .succeedToolCall, EndToolCall(claimToken: token, output: ["exit_code": 0]),
            ["tool_call_id": permit.toolCallID.rawValue])
        _ = try engine.call(
            .createArtifact,
            CreateArtifact(claimToken: token, kind: "note", content: ["type": "text", "text": "done"]), ofStep)
        _ = try engine.call(.succeedStep, EndStep(claimToken: token, output: ["exit_code": 0]), ofStep)
        _ = try engine.call(.completeRun, CompleteRun(claimToken: token, summary: "done"), parameters)
    }

    // MARK: Claims

    /// From "create acknowledged" to "claim answered", with a claim waiting.
    func claims() throws {
        let room = try room()
        let engine = try engine("bench-claims")
        let owner = client()
        var milliseconds: [Double] = []
        for _ in 0..<count {
            let claimed = Monitor<(at: Int64, run: ClaimedRun?)?>(nil)
            let waiter = Thread.start("claimer") {
                let run = try? engine.call(.claimRun, ClaimRun(plan: "required", waitMs: 5000)).run
                claimed.update { $0 = (clock.monotonicNanoseconds(), run) }
            }
            // The claim has to be waiting before the run is made.
            _ = Monitor(false).wait(milliseconds: 20) { $0 ? true : nil }
            _ = try owner.call(.createRun, CreateRun(roomID: room, title: "bench", input: Self.input))
            let acknowledged = clock.monotonicNanoseconds()
            waiter.join()
            guard case (let at, let run?)? = claimed.read({ $0 }) else { continue }
            milliseconds.append(Double(max(0, at - acknowledged)) / 1e6)
            _ = try engine.call(.completeRun, CompleteRun(claimToken: run.claimToken), ["run_id": run.runID.rawValue])
        }
        report(percentiles(milliseconds, "claim_ms"))
    }

    /// `count` engines that do nothing but claim, as long as there is something: what a full queue is emptied with.
    func claimers() throws {
        let room = try room()
        let queued = 1_500 * seconds
        let makers = (0..<32).map { maker in
            Thread.start("maker-\(maker)") {
                let owner = client()
                for _ in stride(from: maker, to: queued, by: 32) {
                    _ = try? owner.call(.createRun, CreateRun(roomID: room, title: "bench", input: Self.input))
                }
            }
        }
        for maker in makers { maker.join() }
        let engines = try (0..<count).map { try engine("claimer-\(count)-\($0)") }
        let claimed = Monitor(0)
        let start = clock.monotonicNanoseconds()
        let end = clock.monotonicMilliseconds() + Int64(seconds) * 1000
        let threads = engines.enumerated().map { index, engine in
            Thread.start("claimer-\(index)") {
                while clock.monotonicMilliseconds() < end,
                    (try? engine.call(.claimRun, ClaimRun(roomID: room, plan: "required")))?.run != nil
                {
                    claimed.update { $0 += 1 }
                }
            }
        }
        for thread in threads { thread.join() }
        let passed = Double(clock.monotonicNanoseconds() - start) / 1e9
        report([
            "claims_per_second": .number((Double(claimed.read { $0 }) / passed).rounded()),
            "claimed": .integer(Int64(claimed.read { $0 })), "queued": .integer(Int64(queued)),
        ])
    }

    // MARK: Followers

    /// `count` followers of one room; from "acknowledged" to "received", over all followers and events.
    func sse() throws {
        let room = try room()
        let received = Monitor<[Int64]>([])
        let ready = Monitor(0)
        let cancellation = HTTPCancellation()
        let sent = Monitor<[Int64: Int64]>([:])
        let threads = (0..<count).map { index in
            Thread.start("follower-\(index)") {
                let api = client()
                let stream = Endpoint<Nothing, Nothing>.roomStream
                var request = api.request(
                    .get, stream.target(["room_id": room.rawValue], query: [("from_seq", "1")]))
                request.deadlineMilliseconds = (seconds + 30) * 1000
                request.cancellation = cancellation
                var parser = SSEParser()
                try? api.transport.stream(request) { _ in
                    ready.update { $0 += 1 }
                } onBytes: { bytes in
                    let now = clock.monotonicNanoseconds()
                    let events = try parser.receive(bytes)
                    received.update { times in
                        for event in events {
                            guard let seq = Int64(event.id) else { continue }
                            times.append(seq << 44 | (now / 1000 & (1 << 44 - 1)))
                        }
                    }
                    return true
                }
            }
        }
        _ = ready.wait(milliseconds: 20_000) { $0 == count ? true : nil }
        let api = client()
        let end = clock.monotonicMilliseconds() + Int64(seconds) * 1000
        var seq: Int64 = 1
        while clock.monotonicMilliseconds() < end {
            _ = try api.call(.requestApproval, RequestApproval(action: "data.read", title: "bench", roomID: room))
            seq += 1
            let (this, now) = (seq, clock.monotonicNanoseconds())
            sent.update { $0[this] = now }
            _ = Monitor(false).wait(milliseconds: 10) { $0 ? true : nil }
        }
        _ = received.wait(milliseconds: 5_000) { $0.count >= (Int(seq) - 1) * count ? true : nil }
        cancellation.cancel()
        for thread in threads { thread.join(milliseconds: 2_000) }
        let sentAt = sent.read { $0 }
        let latencies = received.read { $0 }.compactMap { packed -> Double? in
            sentAt[packed >> 44].map { sent in
                Double((packed & (1 << 44 - 1)) - (sent / 1000 & (1 << 44 - 1))) / 1000
            }
        }
        var facts = percentiles(latencies.map { max(0, $0) }, "sse_ms")
        facts["events"] = .integer(seq - 1)
        facts["missing"] = .integer((seq - 1) * Int64(count) - Int64(latencies.count))
        report(facts)
    }

    // MARK: Reporting

    func percentiles(_ values: [Double], _ name: String) -> JSONObject {
        let sorted = values.sorted()
        func at(_ share: Double) -> JSONValue {
            sorted.isEmpty ? .null : JSONValue(number: sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))])
        }
        return [
            "\(name)_p50": at(0.5), "\(name)_p95": at(0.95), "\(name)_p99": at(0.99),
            "samples": .integer(Int64(sorted.count)),
        ]
    }

    func report(_ facts: JSONObject) { print(String(decoding: JSON.write(.object(facts)), as: UTF8.self)) }
}
