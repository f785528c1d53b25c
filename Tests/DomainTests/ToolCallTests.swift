import JSON
import Shared
import Testing

@testable import Domain

/// RULINGS 20, 24, 25: what becomes of a call that is asked for, by what is known of it.
struct ToolCallTests {
    /// What a call can have behind it when it is asked for again.
    enum Past: String, CaseIterable, Sendable {
        case nothing, running, runningOtherTry, runningOtherArguments, runningLostEngine, succeeded, failedSameTry
        case failedNextTry, unknown, resolvedSucceeded, resolvedFailedSameTry, resolvedFailedNextTry
        case succeededLostEngine, failedLostEngine
    }

    /// A call of each effect that policy lets through.
    static func arguments(_ effect: Effect) -> (tool: String, input: JSONValue, other: JSONValue) {
        switch effect {
        case .none: ("file.read", World.read, ["path": "g"])
        case .idempotent: ("file.write", World.write, ["path": "g", "text": "t"])
        case .once: ("shell", World.shell, ["argv": ["false"]])
        }
    }

    /// Past × effect → the answer, and the events it takes.
    static func expected(_ past: Past, _ effect: Effect) -> (answer: String, events: [String], tryNo: Int) {
        switch past {
        case .nothing: ("permitted", ["tool.invoked"], 1)
        // A lost answer is given again.
        case .running: ("permitted", [], 1)
        case .runningOtherTry: effect == .once ? ("outcome_unknown", [], 1) : ("permitted", [], 1)
        case .runningOtherArguments: ("outcome_unknown", [], 1)
        // The engine before may or may not have acted.
        case .runningLostEngine:
            effect == .once ? ("outcome_unknown", ["tool.unknown"], 1) : ("permitted", ["tool.invoked"], 2)
        case .succeeded, .succeededLostEngine, .resolvedSucceeded: ("ended succeeded", [], 1)
        case .failedSameTry, .failedLostEngine, .resolvedFailedSameTry: ("ended failed", [], 1)
        case .failedNextTry, .resolvedFailedNextTry: ("permitted", ["tool.invoked"], 2)
        case .unknown: ("outcome_unknown", [], 1)
        }
    }

    @Test("Each effect in each state gets its answer and its events", arguments: Effect.allCases, Past.allCases)
    func table(_ effect: Effect, _ past: Past) throws {
        let call = Self.arguments(effect)
        var world = try World.running()
        var (input, tryNo) = (call.input, 1)
        let needsUnknown = [.unknown, .resolvedSucceeded, .resolvedFailedSameTry, .resolvedFailedNextTry].contains(past)
        if past != .nothing {
            let id = try #require(try world.ask(call.tool, call.input).callID)
            if needsUnknown {
                // Only what must not happen twice can become unknown.
                guard effect == .once else {
                    try world.fail(id, unknown: true)
                    #expect(world.calls[id]?.status == .failed)
                    return
                }
                try world.fail(id, unknown: true)
                #expect(world.calls[id]?.status == .unknown)
            }
            switch past {
            case .nothing, .running, .unknown: break
            case .runningOtherTry: tryNo = 2
            case .runningOtherArguments: input = call.other
            case .runningLostEngine: try world.loseAndReclaim()
            case .succeeded: try world.succeed(id)
            case .succeededLostEngine:
                try world.succeed(id)
                try world.loseAndReclaim()
            case .failedSameTry: try world.fail(id)
            case .failedLostEngine:
                try world.fail(id)
                try world.loseAndReclaim()
            case .failedNextTry:
                try world.fail(id)
                tryNo = 2
            case .resolvedSucceeded: try world.resolve(id, .succeeded)
            case .resolvedFailedSameTry: try world.resolve(id, .failed)
            case .resolvedFailedNextTry:
                try world.resolve(id, .failed)
                tryNo = 2
            }
        }
        let before = world.events.count
        let answer = try world.ask(call.tool, input, tryNo: tryNo)
        let expected = Self.expected(past, effect)
        #expect(answer.word == expected.answer)
        #expect(world.types(after: before) == expected.events)
        // One call, whatever was asked.
        #expect(world.calls.count == 1)
        let row = try #require(world.calls.values.first)
        #expect(row.tryNo == expected.tryNo && row.effect == effect)
        #expect(row.effectKey == "run_1/a/1")
        if expected.answer == "permitted" { #expect(row.status == .running) }
        if expected.answer == "outcome_unknown" {
            #expect(answer.rejection?.details["tool_call_id"] == .string(row.toolCallID.rawValue))
        }
    }

    @Test("Tries are numbered one after the other, over failures and lost engines")
    func tries() throws {
        var world = try World.running()
        var numbers: [Int] = []
        var id = try #require(try world.ask("file.write", World.write).callID)
        numbers.append(world.calls[id]!.tryNo)
        try world.fail(id)
        id = try #require(try world.ask("file.write", World.write, tryNo: 2).callID)
        numbers.append(world.calls[id]!.tryNo)
        try world.loseAndReclaim()
        _ = try world.ask("file.write", World.write, tryNo: 2)
        numbers.append(world.calls[id]!.tryNo)
        // The answer was lost: the new holder asks again with its number and gets its permit again.
        let again = try world.ask("file.write", World.write, tryNo: 2)
        #expect(again.word == "permitted")
        try world.fail(id)
        _ = try world.ask("file.write", World.write, tryNo: 4)
        numbers.append(world.calls[id]!.tryNo)
        #expect(numbers == [1, 2, 3, 4])
        #expect(world.calls[id]?.attemptNo == 2)
    }

    @Test("A step's calls are told apart by their ordinal, other steps' by their name")
    func effectKeys() throws {
        var world = try World.running()
        try world.open("b")
        for (step, ordinal) in [("a", 1), ("a", 2), ("b", 1)] {
            _ = try world.ask("shell", World.shell, step: step, ordinal: ordinal)
        }
        #expect(Set(world.calls.values.compactMap(\.effectKey)) == ["run_1/a/1", "run_1/a/2", "run_1/b/1"])
    }

    @Test("What ended, ended: no second report", arguments: ["succeeded", "failed", "unknown", "waiting"])
    func reports(_ state: String) throws {
        var world = try World.running()
        let isWaiting = state == "waiting"
        let id = try #require(try (isWaiting ? world.ask() : world.ask("shell", World.shell)).callID)
        if state == "succeeded" { try world.succeed(id) }
        if state == "failed" { try world.fail(id) }
        if state == "unknown" { try world.fail(id, unknown: true) }
        #expect(reason { try world.succeed(id) } == .toolCallNotRunning)
        #expect(reason { try world.fail(id) } == .toolCallNotRunning)
        #expect(reason { try world.resolve(id, .failed) } == (state == "unknown" ? nil : .toolCallNotUnknown))
    }

    @Test("A call needs a running run", arguments: RunStatus.allCases)
    func runStatus(_ status: RunStatus) throws {
        var world = try World.with(status)
        if status == .queued { world.steps["step_a"] = try World.running().steps["step_a"] }
        #expect(reason { _ = try world.ask("shell", World.shell) } == (status == .running ? nil : .runNotRunning))
    }

    @Test("The plan's limit of calls counts calls, not tries")
    func limit() throws {
        var world = try World.running()
        let id = try #require(try world.ask("shell", World.shell, callsMax: 1).callID)
        try world.fail(id)
        #expect(try world.ask("shell", World.shell, tryNo: 2, callsMax: 1).word == "permitted")
        #expect(reason { _ = try world.ask("shell", World.shell, ordinal: 2, callsMax: 1) } == .toolCallLimitReached)
    }

    @Test("Action and effect are derived; the caller's word is checked, never taken")
    func derived() throws {
        var world = try World.running()
        #expect(reason { _ = try world.ask("http", World.post, action: "external.read") } == .actionMismatch)
        #expect(reason { _ = try world.ask("http", World.post, effect: Effect.none) } == .actionMismatch)
        #expect(reason { _ = try world.ask("file.write", World.write, effect: Effect.none) } == .actionMismatch)
        #expect(reason { _ = try world.ask("file.read", ["nonsense": 1]) } == .invalidField)
        #expect(reason { _ = try world.ask("", [:]) } == .missingToolName)
        let id = try #require(try world.ask("shell", World.shell, effect: .idempotent, action: "shell.exec").callID)
        #expect(world.calls[id]?.effect == .idempotent && world.calls[id]?.action == "shell.exec")
    }

    @Test("In a plan's run nothing gets around the tool table")
    func unknownTools() throws {
        var world = try World.running()
        for tool in ["agent", "rm", "tool.call.x", "data.read", "External.Write", "HTTP", "http "] {
            let before = world.events.count
            let answer = (try? world.ask(tool, World.post))?.word
            #expect(answer == (tool == "http " ? "waiting" : "unknown_action"), "\(tool)")
            if tool != "http " { #expect(world.types(after: before) == ["policy.denied"]) }
        }
        // A step that does not name its plan step is no way around it either.
        let free = try World.running(hasPlan: false).steps["step_a"]!
        world.steps["step_free"] = free
        #expect(try world.ask("http", World.post, step: "free").word == "waiting")
    }

    @Test("A run without a plan keeps the calls it always had")
    func outsideExecutors() throws {
        var world = try World.running(hasPlan: false)
        for tool in ["search", "http", "anything"] {
            let id = try #require(try world.ask(tool, ["q": 1]).callID)
            #expect(world.calls[id]?.action == "tool.call.\(tool)" && world.calls[id]?.effectKey == nil)
        }
        #expect(world.calls.count == 3)
    }

    @Test("An allow stands in the event it let through")
    func policyContext() throws {
        var world = try World.running()
        let request = try ToolCallRequest(
            RequestToolCall(toolName: "shell", input: World.shell), step: world.steps["step_a"]!, run: world.run!,
            argsHash: "h")
        let facts = ToolCallDecider.Facts(
            command: world.facts(), run: world.run!, step: world.steps["step_a"]!, existing: nil, approval: nil,
            policy: PolicyFacts(
                killSwitch: KillSwitch(), approvals: [], now: world.now, elapsedMicroseconds: { 17 }),
            mode: .enforce, callCount: 0, callsMax: nil, newCallID: "tc_1", newApprovalID: "appr_1")
        let draft = try ToolCallDecider.request(request, facts).events[0]
        #expect(
            JSONValue.object(draft.policyContext) == [
                "decision": "allow", "reason_code": "default_allow", "rule_id": "known_action",
                "policy_version": "builtin-2", "mode": "enforce", "action": "shell.exec", "args_hash": "h",
                "latency_us": 17,
            ])
        _ = world.name("")
    }
}
