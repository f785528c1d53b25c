import JSON
import Shared
import Testing

@testable import Domain

struct LearningTests {
    private static let secret = "ghp_x"

    private func pattern(_ context: JSONObject, action: String = "external.write") -> FailurePattern {
        let verdict = PolicyVerdict(.requireApproval, "external_write_requires_approval", rule: "external_write")
        let refusal = PolicyRefusal(category: "tool_call", action: action, verdict: verdict, mode: .enforce)
        return FailurePattern(refusal, context: context) { $0.contains(Self.secret) }
    }

    private func sanitized(_ context: JSONValue) -> JSONValue {
        FailureContext.sanitized(context) { $0.contains(Self.secret) }
    }

    // MARK: What is kept of a context

    @Test("Three levels of a context are kept")
    func depth() {
        #expect(
            sanitized(["a": ["b": ["c": 1, "d": [2], "e": ["f": 3]]]])
                == ["a": ["b": ["c": 1, "d": ["[TRUNCATED]"], "e": ["f": "[TRUNCATED]"]]]])
        #expect(sanitized([[[["x"]]]]) == [[[["[TRUNCATED]"]]]])
    }

    @Test("Names, items and texts are bounded, whatever their order")
    func bounds() {
        let names = (0..<40).map { "k" + String($0 + 100) }
        let object = JSONObject(names.map { ($0, 1) })
        let kept = sanitized(.object(object))
        #expect(kept.objectValue?.keys == Array(names.prefix(24)))
        #expect(sanitized(.object(JSONObject(names.reversed().map { ($0, 1) }))) == kept)
        #expect(sanitized(.array((0..<20).map { .integer($0) })) == .array((0..<12).map { .integer($0) }))
        #expect(sanitized(.string(String(repeating: "é", count: 241))) == .string(String(repeating: "é", count: 240)))
        #expect(sanitized(.string(String(repeating: "a", count: 240))) == .string(String(repeating: "a", count: 240)))
    }

    @Test(
        "What is named like a secret is taken out, whatever it holds",
        arguments: [
            "secret", "client_secret", "TOKEN", "refresh-token", "Password", "api_key", "x-api_key-2", "Authorization",
            "set-cookie", "bearer", "private_key_pem",
        ])
    func privateNames(_ name: String) {
        let context: JSONValue = [
            "a": .object([name: ["deep": [1, 2]]]), "b": .object([name: 7]), "c": .object([name: "x"]),
        ]
        let redacted: JSONValue = .object([name: "[REDACTED]"])
        #expect(sanitized(context) == ["a": redacted, "b": redacted, "c": redacted])
    }

    @Test("What looks like a secret is taken out, wherever it stands")
    func secrets() {
        #expect(
            sanitized(["url": "x ghp_x y", "list": ["ghp_x"], "ghp_x": 1])
                == ["url": "[REDACTED_SECRET]", "list": ["[REDACTED_SECRET]"], "[REDACTED_SECRET]": 1])
        // Also behind the part that is kept.
        let long = String(repeating: "a", count: 300) + Self.secret
        #expect(sanitized(.string(long)) == "[REDACTED_SECRET]")
    }

    @Test("The pattern is the canonical form of kind, action, reason, effect and context")
    func canonical() {
        let first = pattern(["b": 1, "a": ["y": 2, "x": 1]])
        #expect(
            String(decoding: first.canonical, as: UTF8.self)
                == #"{"action":"external.write","blocked":true,"category":"tool","context":{"a":{"x":1,"y":2},"b":1},"reason_code":"external_write_requires_approval"}"#
        )
        #expect(pattern(["a": ["x": 1, "y": 2], "b": 1]).canonical == first.canonical)
        #expect(pattern(["b": 2]).canonical != first.canonical)
        #expect(pattern([:], action: "email.send").canonical != pattern([:]).canonical)
    }

    @Test("Every kind of question has its kind of lesson")
    func categories() {
        #expect(PolicyCategory.allCases.map(\.lesson) == [.action, .data, .egress, .tool])
    }

    @Test("Guidance is a fixed sentence for each reason")
    func guidance() {
        let codes = [
            "kill_switch_active", "external_write_requires_approval", "action_pre_approval_required",
            "action_zone_mismatch", "unknown_action", "data_access_restricted_room_mismatch",
            "data_access_purpose_hint_mismatch",
        ]
        let sentences = codes.map { Guidance.sentence(for: $0, blocked: true) }
        #expect(Set(sentences).count == codes.count)
        #expect(codes.map { Guidance.sentence(for: $0, blocked: false) } == sentences)
        let others = ["", "some_new_reason", "run_not_found"]
        #expect(Set(others.map { Guidance.sentence(for: $0, blocked: true) }).count == 1)
        #expect(Set(others.map { Guidance.sentence(for: $0, blocked: false) }).count == 1)
        #expect(Guidance.sentence(for: "", blocked: true) != Guidance.sentence(for: "", blocked: false))
    }

    // MARK: What follows from a refusal

    /// A subject that is refused the same thing again and again.
    private struct Subject {
        var world = World()
        var known: Constraint?
        var types: [String] = []

        /// - Returns: The events that were learned.
        mutating func refused(after milliseconds: Int64 = 1) -> [Recorded<DomainEvent>] {
            world.pass(milliseconds)
            let verdict = PolicyVerdict(.deny, "unknown_action", rule: "unknown_action", reason: "no")
            let question = PolicyQuestion(
                category: .action, action: ActionName(rawValue: "x.y"), workspaceID: "ws", zone: .highStakes)
            let scope = EventScope(workspaceID: "ws", roomID: "room_1", runID: "run_1", correlationID: "corr")
            world.record([PolicyGate.refusal(verdict, of: question, .enforce, in: scope, by: .operatorUser)])
            let last = world.events.last!
            guard case .policy(let refusal) = last.event else { return [] }
            let pattern = FailurePattern(refusal.refusal, context: question.context) { _ in false }
            let before = world.events.count
            world.record(
                LearningDecider.learn(from: last.with(refusal), pattern, hash: "h", known: known, newID: "cst_new"))
            let learned = Array(world.events[before...])
            for event in learned {
                if case .learning(let learning) = event.event {
                    known = LearningDecider.evolve(known, event.with(learning))
                }
            }
            return learned
        }
    }

    @Test("A refusal is learned from: twice two events, and the second time a third")
    func sequence() {
        var subject = Subject()
        let kinds = (0..<4).map { _ in subject.refused().map(\.event.type) }
        let lesson = ["learning.from_failure", "constraint.learned"]
        #expect(kinds == [lesson, lesson + ["mistake.repeated"], lesson, lesson])
        #expect(subject.known?.seenCount == 4 && subject.known?.constraintID == "cst_new")
    }

    @Test("Its events are a chain on the refusal's own stream, by its actor, in its zone")
    func chain() throws {
        var subject = Subject()
        _ = subject.refused()
        let learned = subject.refused()
        let refusal = subject.world.events[subject.world.events.count - 4].envelope
        let causes = [refusal.eventID] + learned.dropLast().map(\.envelope.eventID)
        #expect(learned.map(\.envelope.causationID) == causes)
        for event in learned.map(\.envelope) {
            #expect(event.stream == .room("room_1") && event.runID == "run_1" && event.correlationID == "corr")
            #expect(event.actor == .operatorUser && event.zone == .highStakes)
        }
        guard case .learning(.fromFailure(let failure)) = learned[0].event,
            case .learning(.constraintLearned(let constraint)) = learned[1].event,
            case .learning(.mistakeRepeated(let repeated)) = learned[2].event
        else { throw Rejection(.internalError, "not what was expected") }
        #expect(failure.policyEventID == refusal.eventID && failure.decision == .deny && failure.blocked)
        #expect(failure.subjectKey == "principal:p" && failure.principalID == "p" && failure.category == "action")
        #expect(constraint.learnedFromEventID == refusal.eventID && constraint.seenCount == 2)
        #expect(repeated.repeatCount == 2 && repeated.constraintID == constraint.constraintID)
        #expect(failure.guidance == constraint.guidance && constraint.guidance == repeated.guidance)
    }

    @Test("Who does not listen fills no log: after ten lessons a pattern is learned once a minute")
    func bounded() {
        var subject = Subject()
        let learned = (0..<1_000).map { _ in subject.refused(after: 10) }
        #expect(learned.prefix(10).allSatisfy { !$0.isEmpty } && learned.dropFirst(10).allSatisfy(\.isEmpty))
        #expect(subject.known?.seenCount == 10)
        // The last of the thousand came 9 900 ms after the tenth.
        #expect(subject.refused(after: 50_099).isEmpty)
        #expect(!subject.refused(after: 1).isEmpty)
        #expect(subject.refused(after: 59_999).isEmpty)
        #expect(!subject.refused(after: 1).isEmpty)
        #expect(subject.world.events.count { $0.event.type == "mistake.repeated" } == 1)
        #expect(subject.world.events.count { $0.event.type == "policy.denied" } == 1_004)
    }

    @Test("A constraint keeps when it was first learned and when it was last seen")
    func fold() throws {
        var subject = Subject()
        _ = subject.refused()
        let first = try #require(subject.known)
        #expect(first.seenCount == 1 && first.firstLearnedAt == first.lastSeenAt)
        let learned = subject.refused(after: 5_000)
        let second = try #require(subject.known)
        #expect(second.firstLearnedAt == first.firstLearnedAt && second.createdAt == first.createdAt)
        #expect(second.lastSeenAt == first.lastSeenAt.adding(milliseconds: 5_000))
        #expect(
            second.lastEventID == learned[1].envelope.eventID && second.learnedFromEventID != first.learnedFromEventID)
    }
}
