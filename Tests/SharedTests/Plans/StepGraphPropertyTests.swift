import JSON
import Testing

@testable import Shared

@Suite("Step graph, random plans")
struct StepGraphPropertyTests {
    @Test("Every run ends, and no step starts before its needs have ended", arguments: 0..<400)
    func termination(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let plan = try Self.randomPlan(&random)
        var run = SimulatedRun(plan, stop: Self.randomStop(&random))
        let turnsMax = 20 * plan.steps.count + 20
        while run.outcome == nil, run.turn < turnsMax { try run.advance(&random) }
        #expect(run.outcome != nil)
        #expect(run.outcome == run.expectedOutcome)
        #expect(run.states.count == plan.steps.count)
    }

    /// Up to 25 steps that need only steps before them, shuffled.
    private static func randomPlan(_ random: inout SeededGenerator) throws -> Plan {
        let count = Int.random(in: 1...25, using: &random)
        let steps = (0..<count).map { index in
            let needs = (0..<index).filter { _ in Int.random(in: 0..<4, using: &random) == 0 }.map { "\"s\($0)\"" }
            let choices = needs.isEmpty ? ["success", "always"] : ["success", "success", "failure", "always"]
            return stepText(
                "s\(index)",
                "\"needs\": [\(needs.joined(separator: ","))], \"when\": \"\(choices.randomElement(using: &random)!)\","
                    + " \"continue_on_error\": \(Int.random(in: 0..<5, using: &random) == 0)")
        }
        let most = Int.random(in: 1...4, using: &random)
        let list = steps.shuffled(using: &random).joined(separator: ", ")
        return try parsed("{\"version\": 1, \"limits\": {\"max_parallel\": \(most)}, \"steps\": [\(list)]}").get()
    }

    private static func randomStop(_ random: inout SeededGenerator) -> (turn: Int, stop: RunStop)? {
        guard Bool.random(using: &random) else { return nil }
        let stop = RunStop(
            RunStop.Cause.allCases.randomElement(using: &random)!, isGraceOver: Bool.random(using: &random))
        return (Int.random(in: 0..<12, using: &random), stop)
    }
}

/// An engine without tools: steps end as the dice say.
private struct SimulatedRun {
    let plan: Plan
    let graph: StepGraph
    let plannedStop: (turn: Int, stop: RunStop)?
    var states: [PlanStepID: StepStatus] = [:]
    var turn = 0
    var outcome: PlanOutcome?

    init(_ plan: Plan, stop: (turn: Int, stop: RunStop)?) {
        (self.plan, graph, plannedStop) = (plan, StepGraph(plan), stop)
    }

    var stop: RunStop? { plannedStop.flatMap { turn > $0.turn ? $0.stop : nil } }

    /// By the sentence of RULINGS 29, written independently of the graph.
    var expectedOutcome: PlanOutcome {
        switch stop?.cause {
        case .cancel: return .cancelled
        case .limit: return .failed
        case nil:
            let hasFailed = plan.steps.contains { step in
                !step.continueOnError && [.failed, .cancelled].contains(states[step.id])
            }
            return hasFailed ? .failed : .succeeded
        }
    }

    mutating func advance(_ random: inout SeededGenerator) throws {
        turn += 1
        let schedule = graph.next(states, stop: stop)
        for skip in schedule.skip { end(skip.step, as: .skipped) }
        for step in schedule.start {
            expectNeedsEnded(step)
            #expect(states[step] == nil, "a step starts once")
            states[step] = .running
        }
        let active = states.filter { $0.value == .running || $0.value == .waiting }
        #expect(states.values.count { $0 == .running } <= plan.limits.maxParallel)
        #expect(schedule.isParked == (stop == nil && !active.isEmpty && active.values.allSatisfy { $0 == .waiting }))
        outcome = schedule.outcome
        if outcome == nil { #expect(!active.isEmpty, "a run that is not over does something") }
        if outcome != nil { #expect(active.isEmpty && schedule.start.isEmpty) }
        settle(active.keys.sorted { $0.rawValue < $1.rawValue }, &random)
    }

    private mutating func settle(_ active: [PlanStepID], _ random: inout SeededGenerator) {
        for step in active where stop != nil || Bool.random(using: &random) {
            let isWaiting = states[step] == .waiting
            let ends: [StepStatus] =
                stop == nil ? [.succeeded, .succeeded, .failed] : [.cancelled, .failed, .succeeded]
            let mayWait = stop == nil && !isWaiting && Int.random(in: 0..<5, using: &random) == 0
            states[step] = mayWait ? .waiting : ends.randomElement(using: &random)!
        }
    }

    private mutating func end(_ step: PlanStepID, as state: StepStatus) {
        expectNeedsEnded(step)
        #expect(states[step] == nil, "what has started is not skipped")
        states[step] = state
    }

    /// Directly and indirectly.
    private func expectNeedsEnded(_ step: PlanStepID) {
        var open = plan.step(step)!.needs
        while let need = open.popLast() {
            #expect(states[need]?.isTerminal == true, "\(need) has ended before \(step)")
            open += plan.step(need)!.needs
        }
    }
}
