import APIClient
import HTTP
import HTTPClient
import JSON
import Platform
import Shared

/// An api in memory: it keeps steps and calls by the rules of RULINGS 24, and remembers all it was asked.
final class FakeAPI: HTTPTransport {
    struct Seen: Sendable {
        var method: String
        var path: String
        var body: JSONValue
        var at: Int64
    }

    enum Verdict: Sendable {
        case allow
        case approval(ApprovalID)
        case refuse(ReasonCode, details: JSONObject = [:])
    }

    struct State {
        var queue: [ClaimedRun] = []
        var steps: [Step] = []
        var calls: [ToolCall] = []
        var seen: [Seen] = []
        var runEnd: String?
        var waits: [Wait] = []
        var attemptNo = 1
        var artifacts: [CreateArtifact] = []
        var blobs: [String: Int64] = [:]
        var cancel: Set<RunID> = []
        var killSwitch = false
        var drain = false
        var isHeartDead = false
        var refusal: ReasonCode?
        /// Paths (by their end) whose next answer is lost on the way, though the work was done.
        var lostAnswers: [String] = []
        var permitTTLMs: Int64 = 1_000
    }

    let state = Monitor(State())
    let verdict: @Sendable (RequestToolCall, _ step: String) -> Verdict

    init(verdict: @escaping @Sendable (RequestToolCall, String) -> Verdict = { _, _ in .allow }) {
        self.verdict = verdict
    }

    // MARK: What tests ask

    var seen: [Seen] { state.read { $0.seen } }
    func seen(_ ending: String) -> [Seen] { seen.filter { $0.path.hasSuffix(ending) } }
    func step(_ id: String) -> Step? { state.read { $0.steps.first { $0.planStepID == id } } }
    func call(_ id: String) -> ToolCall? { state.read { $0.calls.first { $0.stepID.rawValue == "step_\(id)" } } }
    var runEnd: String? { state.read { $0.runEnd } }
    var waits: [Wait] { state.read { $0.waits } }

    /// Waits for something to become true; false after five seconds.
    func eventually(_ holds: @escaping (State) -> Bool) -> Bool {
        state.wait(milliseconds: 5_000) { holds($0) ? true : nil } ?? false
    }

    // MARK: Transport

    func send(_ request: HTTPClientRequest) throws(HTTPClientError) -> HTTPResponse {
        if request.cancellation?.isCancelled == true { throw .cancelled }
        let path = String(request.target.split(separator: "?").first ?? "")
        var body: JSONValue = [:]
        if case .bytes(let bytes) = request.body { body = (try? JSON.parse(bytes)) ?? [:] }
        if path.hasSuffix("/control") { return try control(request, path, body) }
        if path.hasSuffix("/claim") { return try claim(request, path, body) }
        let response = state.update { state -> HTTPResponse? in
            state.seen.append(
                Seen(method: request.method.rawValue, path: path, body: body, at: SystemClock().monotonicMilliseconds())
            )
            if path.hasSuffix("/heartbeat"), state.isHeartDead { return nil }
            let response = Self.answer(request, path, body, &state, verdict)
            if let index = state.lostAnswers.firstIndex(where: { path.hasSuffix($0) }) {
                state.lostAnswers.remove(at: index)
                return nil
            }
            return response
        }
        guard let response else { throw .broken("the answer was lost") }
        return response
    }

    func stream(
        _ request: HTTPClientRequest, onHead: (HTTPResponse) throws -> Void,
        onBytes: (ArraySlice<UInt8>) throws -> Bool
    ) throws {
        let response = try send(request)
        try onHead(response)
        _ = try onBytes(response.body[...])
    }

    private func claim(
        _ request: HTTPClientRequest, _ path: String, _ body: JSONValue
    ) throws(HTTPClientError) -> HTTPResponse {
        let waitMs = body["wait_ms"]?.intValue ?? 0
        let run = state.wait(milliseconds: waitMs) { state -> ClaimedRun? in
            state.queue.isEmpty || request.cancellation?.isCancelled == true ? nil : state.queue.removeFirst()
        }
        state.update { $0.seen.append(Seen(method: "POST", path: path, body: body, at: 0)) }
        if request.cancellation?.isCancelled == true { throw .cancelled }
        return Self.ok(ClaimAnswer(claimed: run != nil, run: run))
    }

    private func control(
        _ request: HTTPClientRequest, _ path: String, _ body: JSONValue
    ) throws(HTTPClientError) -> HTTPResponse {
        let known = Set(body["cancelling"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        let epoch = body["kill_switch_epoch"]?.intValue
        while request.cancellation?.isCancelled != true {
            let answer = state.wait(milliseconds: 20) { state -> EngineControlAnswer? in
                let cancel = state.cancel.filter { !known.contains($0.rawValue) }
                let now: Int64 = state.killSwitch ? 1 : 0
                guard !cancel.isEmpty || state.drain || epoch != now else { return nil }
                return EngineControlAnswer(
                    cancel: Array(cancel), killSwitch: state.killSwitch, killSwitchEpoch: now, drain: state.drain)
            }
            if let answer { return Self.ok(answer) }
        }
        throw .cancelled
    }

    private static func answer(
        _ request: HTTPClientRequest, _ path: String, _ body: JSONValue, _ state: inout State,
        _ verdict: (RequestToolCall, String) -> Verdict
    ) -> HTTPResponse {
        let parts = path.split(separator: "/").map(String.init)
        let isWrite = request.method != .get
        if isWrite, let refusal = state.refusal { return refused(refusal) }
        if isWrite, parts[1] != "engines" {
            let token = body["claim_token"]?.stringValue ?? request.fields[.xClaimToken]
            guard token == "claim-secret" else { return refused(.leaseTokenMismatch) }
        }
        switch (parts[1], parts.last ?? "", parts.count) {
        case ("runs", "heartbeat", _):
            let id = RunID(parts[2])
            return ok(
                LeaseAnswer(
                    ok: true, leaseExpiresAt: .zero, leaseHeartbeatAt: .zero,
                    cancelRequested: state.cancel.contains(id),
                    killSwitch: state.killSwitch))
        case ("runs", "steps", _):
            return isWrite ? createStep(decode(body), RunID(parts[2]), &state) : ok(StepList(steps: state.steps))
        case ("runs", "release", _):
            state.runEnd = "released"
            return ok(ReleaseAnswer(ok: true, released: true))
        case ("runs", "park", _):
            let park: ParkRun = decode(body)
            (state.runEnd, state.waits) = ("parked", park.waits ?? [])
            return ok(ParkAnswer(ok: true, status: .waiting))
        case ("runs", _, 3):
            var run = Run(runID: RunID(parts[2]), workspaceID: "ws_dev", correlationID: "c", at: .zero)
            run.status = state.runEnd == nil ? .running : .succeeded
            return ok(RunAnswer(run: run))
        case ("runs", let verb, 4):
            if state.runEnd != nil { return refused(.runAlreadyEnded) }
            state.runEnd = verb
            return ok(Done(ok: true))
        case ("steps", "toolcalls", _): return requestCall(decode(body), parts[2], &state, verdict)
        case ("steps", "artifacts", _):
            state.artifacts.append(decode(body))
            return ok(ArtifactCreatedAnswer(artifactID: "art_1"), .created)
        case ("steps", let sha, 5):
            if case .file(_, let length) = request.body { state.blobs[sha] = length }
            return ok(BlobStored(sha256: sha, sizeBytes: 0), .created)
        case ("steps", let verb, 4): return endStep(parts[2], verb, body, &state)
        case ("rooms", "threads", _): return ok(ThreadCreatedAnswer(threadID: "th_1"), .created)
        case ("threads", "messages", _):
            if parts[2] == "th_nowhere" { return refused(.threadNotFound) }
            return ok(MessageCreatedAnswer(messageID: "msg_1"), .created)
        case ("toolcalls", "toolcalls", _): return ok(ToolCallList(toolCalls: state.calls))
        case ("toolcalls", let verb, 4): return endCall(parts[2], verb, body, &state)
        case ("toolcalls", let id, 3):
            guard let call = state.calls.first(where: { $0.toolCallID.rawValue == id }) else {
                return refused(.toolCallNotFound)
            }
            return ok(ToolCallAnswer(toolCall: call))
        default: return refused(.routeNotFound)
        }
    }

    private static func createStep(_ create: CreateStep, _ run: RunID, _ state: inout State) -> HTTPResponse {
        let name = create.planStepID ?? "none"
        if let step = state.steps.first(where: { $0.planStepID == name }) {
            return ok(StepCreatedAnswer(stepID: step.stepID))
        }
        var step = Step(
            stepID: StepID("step_\(name)"), runID: run, workspaceID: "ws_dev", kind: "tool", correlationID: "c",
            at: Timestamp(milliseconds: SystemClock().wallMilliseconds()))
        step.planStepID = name
        state.steps.append(step)
        return ok(StepCreatedAnswer(stepID: step.stepID), .created)
    }

    private static func endStep(_ id: String, _ verb: String, _ body: JSONValue, _ state: inout State) -> HTTPResponse {
        guard let index = state.steps.firstIndex(where: { $0.stepID.rawValue == id }) else {
            return refused(.stepNotFound)
        }
        if state.steps[index].status.isTerminal { return refused(.stepAlreadyEnded) }
        let statuses: [String: StepStatus] = [
            "succeed": .succeeded, "fail": .failed, "skip": .skipped, "cancel": .cancelled,
        ]
        state.steps[index].status = statuses[verb]!
        state.steps[index].output = body["output"] ?? [:]
        state.steps[index].error = body["error"] ?? [:]
        return ok(Done(ok: true))
    }

    private static func requestCall(
        _ ask: RequestToolCall, _ stepID: String, _ state: inout State,
        _ verdict: (RequestToolCall, String) -> Verdict
    ) -> HTTPResponse {
        let name = String(stepID.dropFirst("step_".count))
        let arguments = ask.input ?? [:]
        let tool = Tool(rawValue: ask.toolName ?? "")!
        let index: Int
        if let found = state.calls.firstIndex(where: { $0.stepID.rawValue == stepID }) {
            index = found
        } else {
            var call = ToolCall(
                toolCallID: ToolCallID("tc_\(name)"), workspaceID: "ws_dev", runID: "run_1", stepID: StepID(stepID),
                toolName: tool.rawValue, correlationID: "c", at: .zero)
            call.effect = (try? ToolCatalogue.effect(tool: tool, arguments: arguments, declared: ask.effect)) ?? .once
            call.input = arguments
            state.calls.append(call)
            index = state.calls.count - 1
        }
        let call = state.calls[index]
        let tryNo = ask.tryNo ?? 1
        switch call.status {
        case .succeeded: return permit(call, .ok)
        case .failed where tryNo <= call.tryNo: return permit(call, .ok)
        case .unknown: return refused(.outcomeUnknown, ["tool_call_id": .string(call.toolCallID.rawValue)])
        case .running where call.attemptNo < state.attemptNo && call.effect == .once:
            state.calls[index].status = .unknown
            return refused(.outcomeUnknown, ["tool_call_id": .string(call.toolCallID.rawValue)])
        case .failed, .running, .waiting: break
        }
        switch verdict(ask, name) {
        case .refuse(let code, let details): return refused(code, details)
        case .approval(let id):
            state.calls[index].approvalID = id
            return permit(state.calls[index], .accepted)
        case .allow:
            state.calls[index].status = .running
            (state.calls[index].tryNo, state.calls[index].attemptNo) = (tryNo, state.attemptNo)
            return permit(state.calls[index], .created, ttl: state.permitTTLMs)
        }
    }

    private static func permit(_ call: ToolCall, _ status: HTTPStatus, ttl: Int64? = nil) -> HTTPResponse {
        ok(
            ToolCallPermit(
                toolCallID: call.toolCallID, decision: status == .accepted ? .requireApproval : .allow,
                status: call.status, reasonCode: "test", ruleID: "test", action: "test", effect: call.effect,
                argsHash: "", approvalID: call.approvalID, permitTTLMs: ttl, output: call.output, error: call.error),
            status)
    }

    private static func endCall(_ id: String, _ verb: String, _ body: JSONValue, _ state: inout State) -> HTTPResponse {
        guard let index = state.calls.firstIndex(where: { $0.toolCallID.rawValue == id }) else {
            return refused(.toolCallNotFound)
        }
        guard state.calls[index].status == .running else { return refused(.toolCallNotRunning) }
        let isUnknown = body["error"]?["unknown"]?.boolValue ?? false
        state.calls[index].status = verb == "succeed" ? .succeeded : isUnknown ? .unknown : .failed
        state.calls[index].output = body["output"] ?? [:]
        state.calls[index].error = body["error"] ?? [:]
        return ok(Done(ok: true))
    }

    private static func decode<Value: Decodable>(_ body: JSONValue) -> Value {
        do { return try JSON.decode(Value.self, from: body) } catch { preconditionFailure("\(error)") }
    }

    static func ok<Answer: Encodable>(_ answer: Answer, _ status: HTTPStatus = .ok) -> HTTPResponse {
        do { return HTTPResponse(status, body: try JSON.encode(answer)) } catch { preconditionFailure("\(error)") }
    }

    static func refused(_ code: ReasonCode, _ details: JSONObject = [:]) -> HTTPResponse {
        let problem = Problem(Rejection(code, "refused by the test", details: details), requestID: "r")
        return HTTPResponse(code.status, body: (try? JSON.encode(problem)) ?? [])
    }
}

extension Timestamp {
    static let zero = Timestamp(milliseconds: 0)
}
