import JSON
import Shared
import Testing

@testable import Domain

struct RunTests {
    /// Written out a second time, on purpose: the code prints its table, this is what it is to say.
    private static let table: [RunLifecycle.Trigger: [RunStatus: (RunStatus, String)]] = [
        .claim: [.queued: (.running, "run.started")],
        .start: [.queued: (.running, "run.started")],
        .park: [.running: (.waiting, "run.waiting")],
        .settle: [.waiting: (.queued, "run.requeued")],
        .release: [.running: (.queued, "run.requeued")],
        .drain: [.running: (.queued, "run.requeued")],
        .loseLease: [.running: (.queued, "run.requeued")],
        .requestCancel: [
            .queued: (.queued, "run.cancel_requested"), .running: (.running, "run.cancel_requested"),
            .waiting: (.waiting, "run.cancel_requested"),
        ],
        .cancel: [
            .queued: (.cancelled, "run.cancelled"), .running: (.cancelled, "run.cancelled"),
            .waiting: (.cancelled, "run.cancelled"),
        ],
        .complete: [.queued: (.succeeded, "run.completed"), .running: (.succeeded, "run.completed")],
        .fail: [
            .queued: (.failed, "run.failed"), .running: (.failed, "run.failed"), .waiting: (.failed, "run.failed"),
        ],
    ]

    @Test(
        "Each status answers each trigger as the table says", arguments: RunStatus.allCases,
        RunLifecycle.Trigger.allCases)
    func lifecycle(_ status: RunStatus, _ trigger: RunLifecycle.Trigger) throws {
        let run = try #require(World.with(status).run)
        #expect(run.status == status)
        let transition = RunLifecycle.transition(status, by: trigger)
        let expected = Self.table[trigger]?[status]
        #expect(transition?.to == expected?.0)
        #expect(transition?.event == expected?.1)
        guard expected == nil else { return }
        let code: ReasonCode =
            switch trigger {
            case .claim, .start: .runNotQueued
            case .park, .settle, .release, .drain, .loseLease: .runNotRunning
            case .requestCancel, .cancel, .complete, .fail: status.isTerminal ? .runAlreadyEnded : .runNotRunning
            }
        #expect(reason { try RunLifecycle.advance(run, by: trigger) } == code)
    }

    @Test(
        "Each command leaves the event and the status of the table, or nothing", arguments: RunStatus.allCases,
        RunLifecycle.Trigger.allCases)
    func commands(_ status: RunStatus, _ trigger: RunLifecycle.Trigger) throws {
        var world = try World.with(status)
        let (run, facts, before) = (try #require(world.run), world.facts(), world.events.count)
        var drafts: [EventDraft] = []
        let code = reason {
            switch trigger {
            case .claim: drafts = [try RunDecider.claim(run, by: "eng_2", facts)]
            case .start:
                var planless = run
                planless.hasPlan = false
                drafts = [try RunDecider.start(planless, facts)]
            case .park: drafts = try RunDecider.park(run, [Wait(.timer, wakeAt: facts.now)], isSettled: false, facts)
            case .settle: drafts = [try RunDecider.requeue(run, .waitSettled, facts)]
            case .release: drafts = [try RunDecider.requeue(run, .released, facts)]
            case .drain: drafts = [try RunDecider.requeue(run, .drained, facts)]
            case .loseLease: drafts = [try RunDecider.requeue(run, .leaseExpired, facts)]
            case .requestCancel: drafts = try RunDecider.cancel(run, reason: "r", isHeld: true, facts).events
            case .cancel:
                var asked = run
                asked.cancelRequestedAt = facts.now
                drafts = [try RunDecider.confirmCancelled(asked, facts)]
            case .complete: drafts = [try RunDecider.complete(run, CompleteRun(), facts)]
            case .fail: drafts = [try RunDecider.fail(run, FailRun(), facts)]
            }
        }
        let expected = Self.table[trigger]?[status]
        #expect((code == nil) == (expected != nil))
        world.record(drafts)
        #expect(world.types(after: before) == (expected.map { [$0.1] } ?? []))
        #expect(world.run?.status == (expected?.0 ?? status))
        #expect(drafts.allSatisfy { $0.causationID == run.lastEventID && $0.scope == run.scope })
    }

    @Test("Each claim raises the fencing epoch by one, and the run's start stays the first one")
    func epoch() throws {
        var world = try World.queued()
        for attempt in 1...4 {
            world.pass(1_000)
            try world.claim()
            #expect(world.run?.attemptNo == attempt)
            #expect(world.run?.startedAt == World.start.adding(milliseconds: 1_000))
            world.record([try RunDecider.requeue(world.run!, .released, world.facts())])
            #expect(world.run?.attemptNo == attempt)
        }
    }

    @Test("A run with a plan is not started by hand")
    func startWithPlan() throws {
        let (planned, free) = (try World.queued(), try World.queued(hasPlan: false))
        #expect(reason { _ = try RunDecider.start(planned.run!, planned.facts()) } == .runHasPlan)
        #expect(reason { _ = try RunDecider.start(free.run!, free.facts()) } == nil)
    }

    @Test("Parking needs a reason; a wait that is over already sends the run straight back")
    func parking() throws {
        var world = try World.running()
        #expect(reason { _ = try RunDecider.park(world.run!, [], isSettled: false, world.facts()) } == .missingField)
        let early = world.now.adding(milliseconds: 10)
        let waits = [
            Wait(.timer, wakeAt: early.adding(milliseconds: 5)), Wait(.approval, approvalID: "appr_1"),
            Wait(.timer, wakeAt: early),
        ]
        let many = Array(repeating: waits[1], count: Plan.stepsMax + 1)
        #expect(reason { _ = try RunDecider.park(world.run!, many, isSettled: false, world.facts()) } == .invalidField)
        let before = world.events.count
        world.record(try RunDecider.park(world.run!, waits, isSettled: false, world.facts()))
        #expect(world.run?.status == .waiting && world.run?.wakeAt == early && world.run?.waits == waits)
        world.record([try RunDecider.requeue(world.run!, .waitSettled, world.facts(.api))])
        #expect(world.run?.status == .queued && world.run?.wakeAt == nil && world.run?.waits == [])
        try world.claim()
        world.record(try RunDecider.park(world.run!, waits, isSettled: true, world.facts()))
        #expect(
            world.types(after: before) == [
                "run.waiting", "run.requeued", "run.started", "run.waiting", "run.requeued",
            ])
        #expect(world.run?.status == .queued)
        let last = world.events.suffix(2).map(\.envelope)
        #expect(last[1].causationID == last[0].eventID)
    }

    @Test("A held run is cancelled when its holder says that nothing is left; another at once")
    func cancelling() throws {
        var held = try World.running()
        let before = held.events.count
        #expect(reason { _ = try RunDecider.confirmCancelled(held.run!, held.facts()) } == .runNotRunning)
        for _ in 0..<3 {
            let decision = try RunDecider.cancel(held.run!, reason: "enough", isHeld: true, held.facts())
            #expect(decision.answer == .running)
            held.record(decision.events)
        }
        #expect(held.types(after: before) == ["run.cancel_requested"])
        #expect(held.run?.cancelReason == "enough" && held.run?.cancelRequestedAt != nil)
        held.record([try RunDecider.confirmCancelled(held.run!, held.facts())])
        #expect(held.run?.status == .cancelled && held.run?.endedAt == held.now && held.run?.cancelReason == "enough")
        for status in [RunStatus.queued, .waiting] {
            var world = try World.with(status)
            let count = world.events.count
            let decision = try RunDecider.cancel(world.run!, reason: "r", isHeld: false, world.facts())
            #expect(decision.answer == .cancelled)
            world.record(decision.events)
            #expect(world.types(after: count) == ["run.cancel_requested", "run.cancelled"])
            let last = world.events.suffix(2).map(\.envelope)
            #expect(last[1].causationID == last[0].eventID)
        }
    }

    @Test("What has ended keeps its end")
    func ends() throws {
        var world = try World.running()
        world.record([try RunDecider.complete(world.run!, CompleteRun(summary: "s", output: ["n": 1]), world.facts())])
        #expect(world.run?.summary == "s" && world.run?.output == ["n": 1] && world.run?.endedAt == world.now)
        var failed = try World.running()
        failed.record([try RunDecider.fail(failed.run!, FailRun(message: "m"), failed.facts())])
        #expect(failed.run?.error == ["message": "m"])
    }

    @Test("A run whose plan cannot be is refused")
    func invalid() throws {
        let facts = World().facts()
        func code(_ request: CreateRun, secret: (pointer: String, ruleID: String)? = nil) -> ReasonCode? {
            reason {
                _ = try RunDecider.create(
                    "r", request, in: "w", roomID: "room_1", correlationID: "c", planSecret: secret, facts)
            }
        }
        #expect(code(CreateRun()) == nil)
        #expect(code(CreateRun(input: ["plan": ["version": 9]])) == .planInvalid)
        let plan: JSONValue = ["version": 1, "steps": [["id": "a", "tool": "sleep", "with": ["duration_ms": 1]]]]
        #expect(code(CreateRun(input: ["plan": plan]), secret: ("/plan/x", "rule")) == .secretInPlan)
        #expect(code(CreateRun(input: ["plan": plan])) == nil)
    }
}
