import JSON
import Shared
import Testing

@testable import Domain

struct StepTests {
    @Test("A step is opened while its run runs", arguments: RunStatus.allCases)
    func opening(_ status: RunStatus) throws {
        let world = try World.with(status)
        let code = reason {
            _ = try StepDecider.create(
                "step_x", CreateStep(planStepID: "x", kind: "tool"), in: world.run!, world.facts())
        }
        #expect(code == (status == .running ? nil : .runNotRunning))
    }

    @Test("A step needs a kind")
    func kind() throws {
        let world = try World.running()
        for kind in [nil, "", " \n"] {
            #expect(
                reason { _ = try StepDecider.create("s", CreateStep(kind: kind), in: world.run!, world.facts()) }
                    == .missingKind)
        }
    }

    @Test(
        "An open step can be ended in each way, and once",
        arguments: [StepStatus.succeeded, .failed, .skipped, .cancelled])
    func ending(_ status: StepStatus) throws {
        var world = try World.running()
        let request = EndStep(output: ["o": 1], message: "m", reason: "r", error: ["e": 1])
        world.pass(5)
        world.record([try StepDecider.end(world.steps["step_a"]!, as: status, request, in: world.run!, world.facts())])
        let step = world.steps["step_a"]!
        #expect(step.status == status && step.endedAt == world.now)
        #expect(
            step.output == (status == .succeeded ? ["o": 1] : [:]) && step.error == (status == .failed ? ["e": 1] : [:])
        )
        for again in [StepStatus.succeeded, .failed, .skipped, .cancelled] {
            #expect(
                reason { _ = try StepDecider.end(step, as: again, request, in: world.run!, world.facts()) }
                    == .stepAlreadyEnded)
        }
    }

    @Test("A plan's step is ended by its executor, not by its calls; another follows them")
    func calls() throws {
        for hasPlan in [true, false] {
            var world = try World.running(hasPlan: hasPlan)
            let first = try #require(try world.ask("shell", World.shell).callID)
            #expect(world.steps["step_a"]?.status == .running)
            try world.fail(first)
            #expect(world.steps["step_a"]?.status == (hasPlan ? .running : .failed))
            let second = try #require(try world.ask("shell", World.shell, tryNo: 2).callID)
            #expect(world.steps["step_a"]?.status == .running)
            try world.succeed(second)
            #expect(world.steps["step_a"]?.status == (hasPlan ? .running : .succeeded))
            #expect(world.steps["step_a"]?.output == ["ok": true])
        }
    }

    @Test("A step waits while its call does")
    func waiting() throws {
        var world = try World.running()
        let call = try #require(try world.ask().callID)
        #expect(world.steps["step_a"]?.status == .waiting && world.calls[call]?.status == .waiting)
        try world.decide(world.calls[call]!.approvalID!, "approve")
        _ = try world.ask()
        #expect(world.steps["step_a"]?.status == .running)
        try world.fail(call, unknown: true)
        #expect(world.steps["step_a"]?.status == .waiting)
        try world.resolve(call, .succeeded)
        #expect(world.steps["step_a"]?.status == .running)
    }

    @Test("An ended plan step takes no more calls")
    func callsAfterEnd() throws {
        var world = try World.running()
        world.record([
            try StepDecider.end(world.steps["step_a"]!, as: .succeeded, EndStep(), in: world.run!, world.facts())
        ])
        #expect(reason { _ = try world.ask("shell", World.shell) } == .stepAlreadyEnded)
    }
}
