import JSON
import Testing

@testable import Shared

/// A situation and what follows from it. Steps are written as `id when(needs)`, states by one letter each: `.` queued,
/// `r` running, `w` waiting, `s` succeeded, `f` failed, `k` skipped, `c` cancelled.
struct Situation: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let plan: String
    let states: String
    var stop: RunStop?
    var start = ""
    var skip: [String] = []
    var outcome: PlanOutcome?
    var isParked = false

    init(
        _ name: String, _ plan: String, _ states: String, stop: RunStop? = nil, start: String = "", skip: [String] = [],
        outcome: PlanOutcome? = nil, isParked: Bool = false
    ) {
        (testDescription, self.plan, self.states, self.stop) = (name, plan, states, stop)
        (self.start, self.skip, self.outcome, self.isParked) = (start, skip, outcome, isParked)
    }
}

@Suite("Step graph")
struct StepGraphTests {
    @Test("The table of needs, conditions and stops holds", arguments: order + success + failure + always + stops)
    func table(_ situation: Situation) throws {
        let plan = try Self.plan(situation.plan)
        let states = zip(plan.steps, situation.states).map { ($0.id, Self.state($1)) }
        let schedule = StepGraph(plan).next(Dictionary(uniqueKeysWithValues: states), stop: situation.stop)
        #expect(schedule.start.map(\.rawValue).joined() == situation.start)
        #expect(schedule.skip.map { "\($0.step) \($0.reason.rawValue)" } == situation.skip)
        #expect(schedule.outcome == situation.outcome)
        #expect(schedule.isParked == situation.isParked)
    }

    @Test("A step without a state is queued")
    func noStates() throws {
        let schedule = StepGraph(try Self.plan("a b(a)")).next([:])
        #expect(schedule.start == [id("a")])
    }

    static let diamond = "a b(a) c(a) d(b,c)"

    static let order: [Situation] = [
        .init("roots start in the order of the plan, as many as may run", "a b c", "...", start: "ab"),
        .init("a running step takes a place", "a b c", "r..", start: "b"),
        .init("a full house starts nothing", "a b c", "rr."),
        .init("a waiting step takes no place", "a b c", "w..", start: "bc"),
        .init("only waiting steps: the run parks", "a b(a)", "w.", isParked: true),
        .init("waiting and running: the run does not park", "a b", "wr"),
        .init("waiting and ended: the run parks", "a b c(b)", "wsk", isParked: true),
        .init("a plan may name a step before its need", "a(b) b", "..", start: "b"),
        .init("diamond: first the top", diamond, "....", start: "a"),
        .init("diamond: then both sides", diamond, "s...", start: "bc"),
        .init("diamond: the bottom waits for both", diamond, "ssr."),
        .init("diamond: the bottom starts", diamond, "sss.", start: "d"),
        .init("diamond: done", diamond, "ssss", outcome: .succeeded),
        .init("diamond: one side failed, the other still runs, nothing is decided", diamond, "sfr."),
        .init(
            "diamond: one side failed", diamond, "sfs.", skip: ["d need_failed"], outcome: .failed),
        .init(
            "diamond: the top failed", diamond, "f...",
            skip: ["b need_failed", "c need_failed", "d need_failed"], outcome: .failed),
    ]

    static let success: [Situation] = [
        .init("steps elsewhere go on after a failure", "a b(a) x y(x)", "f.s.", start: "y", skip: ["b need_failed"]),
        .init("new roots start after a failure", "a b", "f.", start: "b"),
        .init("running steps finish after a failure", "a b", "fr"),
        .init("continue_on_error counts as met", "a! b(a)", "f.", start: "b"),
        .init("continue_on_error does not fail the run", "a! b(a)", "fs", outcome: .succeeded),
        .init("a cancelled step counts as failed", "a b(a)", "c.", skip: ["b need_failed"], outcome: .failed),
        .init(
            "a step behind a clean-up that was not needed is skipped", "a b?(a) c(b)", "s..",
            skip: ["b not_needed", "c need_skipped"], outcome: .succeeded),
        .init(
            "a success step behind a clean-up of a failure is skipped", "a b?(a) c(b)", "fs.",
            skip: ["c need_failed"], outcome: .failed),
        .init(
            "a success step behind an always step behind a failure is skipped", "a b*(a) c(b)", "fs.",
            skip: ["c need_failed"], outcome: .failed),
    ]

    static let failure: [Situation] = [
        .init("a clean-up runs when its need failed", "a b?(a)", "f.", start: "b"),
        .init(
            "a clean-up is skipped when nothing failed", "a b?(a)", "s.", skip: ["b not_needed"], outcome: .succeeded),
        .init("a clean-up waits until all its needs have ended", "a b c?(a,b)", "fr."),
        .init("a clean-up runs when one of its needs failed", "a b c?(a,b)", "fs.", start: "c"),
        .init(
            "a clean-up runs when its need was skipped because of a failure", "a b(a) c?(b)", "f..",
            start: "c", skip: ["b need_failed"]),
        .init("so it does when that skip is already recorded", "a b(a) c?(b)", "fk.", start: "c"),
        .init(
            "a clean-up whose need was skipped without a failure is not needed", "a b?(a) c?(b)", "sk.",
            skip: ["c not_needed"], outcome: .succeeded),
        .init(
            "a clean-up of a clean-up that succeeded is not needed", "a b?(a) c?(b)", "fs.",
            skip: ["c not_needed"], outcome: .failed),
        .init("a clean-up of a clean-up that failed runs", "a b?(a) c?(b)", "ff.", start: "c"),
        .init("a clean-up that succeeds does not turn a failure into success", "a b?(a)", "fs", outcome: .failed),
        .init("a failure with continue_on_error calls for its clean-up", "a! b?(a) c(a)", "f..", start: "bc"),
        .init("and the run succeeds", "a! b?(a) c(a)", "fss", outcome: .succeeded),
        .init("a clean-up with continue_on_error may fail as well", "a! b?!(a)", "ff", outcome: .succeeded),
        .init("a failed clean-up fails the run", "a! b?(a)", "ff", outcome: .failed),
        .init(
            "a failure elsewhere is no reason for a clean-up", "a b c?(b)", "fs.", skip: ["c not_needed"],
            outcome: .failed),
    ]

    static let always: [Situation] = [
        .init("always after success", "a b*(a)", "s.", start: "b"),
        .init("always after failure", "a b*(a)", "f.", start: "b"),
        .init("always after a skip", "a b(a) c*(b)", "f..", start: "c", skip: ["b need_failed"]),
        .init("always waits for its needs", "a b*(a)", "r."),
        .init("always waits for all that its needs need", "a b c(a,b) d*(c)", "fr.."),
        .init("always without needs starts at once", "a* b", "..", start: "ab"),
    ]

    static let stops: [Situation] = [
        .init(
            "cancel: nothing new but always steps", "a b c?(a) d*(a)", "c...", stop: .init(.cancel),
            start: "d", skip: ["b run_cancelled", "c run_cancelled"]),
        .init("cancel: always waits for the end of its needs", "a b*(a)", "r.", stop: .init(.cancel)),
        .init("cancel: nothing is decided behind a running step", "a b(a) c*(b)", "r..", stop: .init(.cancel)),
        .init(
            "cancel: then the rest follows", "a b(a) c*(b)", "c..", stop: .init(.cancel), start: "c",
            skip: ["b run_cancelled"]),
        .init(
            "cancel: the grace period is over", "a b*(a)", "c.", stop: .init(.cancel, isGraceOver: true),
            skip: ["b run_cancelled"], outcome: .cancelled),
        .init("cancel: done", "a b*(a)", "cs", stop: .init(.cancel), outcome: .cancelled),
        .init("cancel: even when all had succeeded", "a", "s", stop: .init(.cancel), outcome: .cancelled),
        .init(
            "cancel: a waiting step keeps the run open until it is ended", "a b", "w.", stop: .init(.cancel),
            skip: ["b run_cancelled"]),
        .init(
            "limit: no success step starts", "a b", "f.", stop: .init(.limit), skip: ["b run_limit"],
            outcome: .failed),
        .init(
            "limit: clean-ups of failures and always steps run", "a b?(a) c*(a)", "f..", stop: .init(.limit),
            start: "bc"),
        .init(
            "limit: a step that it kept from running calls for its clean-up", "a b(a) c?(b)", "s..",
            stop: .init(.limit), start: "c", skip: ["b run_limit"]),
        .init(
            "limit: a clean-up of a success is not needed", "a b?(a)", "s.", stop: .init(.limit),
            skip: ["b not_needed"], outcome: .failed),
        .init(
            "limit: the grace period is over", "a b?(a) c*(a)", "f..", stop: .init(.limit, isGraceOver: true),
            skip: ["b run_limit", "c run_limit"], outcome: .failed),
        .init("limit: all had succeeded", "a", "s", stop: .init(.limit), outcome: .failed),
    ]

    /// `a b(a) c?(a,b) d*(c) e!(a)`: `?` is a clean-up, `*` always, `!` continue_on_error.
    static func plan(_ sketch: String) throws -> Plan {
        let steps = sketch.split(separator: " ").map { word in
            let head = word.prefix { $0 != "(" }
            let needs = word.dropFirst(head.count).filter { $0.isLetter }.map { "\"\($0)\"" }
            let when = head.contains("?") ? "failure" : head.contains("*") ? "always" : "success"
            return stepText(
                String(head.prefix(1)),
                "\"when\": \"\(when)\", \"needs\": [\(needs.joined(separator: ","))], \"continue_on_error\": \(head.contains("!"))"
            )
        }
        return try parsed("{\"version\": 1, \"steps\": [\(steps.joined(separator: ", "))]}").get()
    }

    static func state(_ letter: Character) -> StepStatus {
        switch letter {
        case "r": .running
        case "w": .waiting
        case "s": .succeeded
        case "f": .failed
        case "k": .skipped
        case "c": .cancelled
        default: .queued
        }
    }
}
