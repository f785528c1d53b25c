import JSON
import Shared
import Testing

@testable import Domain

struct ReviewTests {
    private let facts = World().facts()

    @Test(
        "Metrics are a list of keys with numbers, each key once",
        arguments: [
            (nil, "metrics"), ([], "metrics"), (["key": "a"], "metrics"), ([1], "metrics.0"),
            ([["value": 1]], "metrics.0.key"), ([["key": " ", "value": 1]], "metrics.0.key"),
            ([["key": "a"]], "metrics.0.value"), ([["key": "a", "value": "1"]], "metrics.0.value"),
            ([["key": "a", "value": 1e13]], "metrics.0.value"),
            ([["key": "a", "value": 1, "weight": 0]], "metrics.0.weight"),
            ([["key": "a", "value": 1, "weight": -1]], "metrics.0.weight"),
            ([["key": "a", "value": 1, "weight": "1"]], "metrics.0.weight"),
            ([["key": "a", "value": 1], ["key": " a ", "value": 2]], "metrics.1.key"),
            (.array((0..<101).map { ["key": .string("\($0)"), "value": 1] }), "metrics"),
        ] as [(JSONValue?, String)])
    func wrongMetrics(_ value: JSONValue?, _ field: String) {
        let refusal = #expect(throws: Rejection.self) { try ScorecardDecider.metrics(value) }
        #expect(refusal?.reason == .invalidMetrics && refusal?.details["field"] == .string(field))
    }

    @Test("Metrics are kept in the order of their keys, by UTF-16 as RFC 8785 has it, with weight 1 if none is given")
    func sortedMetrics() throws {
        let metrics = try ScorecardDecider.metrics([
            ["key": "\u{FB33}", "value": 1], ["key": "😀", "value": 0.5, "weight": 2], ["key": "b", "value": 1],
            ["key": "B", "value": 0, "weight": nil],
        ])
        #expect(metrics.map(\.key) == ["B", "b", "😀", "\u{FB33}"])
        #expect(metrics.map(\.weight) == [1, 1, 2, 1])
    }

    @Test("The hash is over the same bytes, however the metrics were sent")
    func hash() throws {
        let sent: [JSONValue] = [
            [["key": "b", "value": 1, "weight": 1], ["value": 0.5, "key": "a"]],
            [["weight": 1.0, "key": "a", "value": 0.50], ["key": "b", "value": 1.0]],
        ]
        let hashed = try sent.map {
            String(decoding: ScorecardDecider.hashed(try ScorecardDecider.metrics($0)), as: UTF8.self)
        }
        #expect(hashed[0] == #"[{"key":"a","value":0.5,"weight":1},{"key":"b","value":1,"weight":1}]"#)
        #expect(hashed[1] == hashed[0])
    }

    @Test(
        "The score is the weighted mean from 0 to 1, and decides",
        arguments: [
            ([(1, 1)], 1, .pass), ([(0.75, 1)], 0.75, .pass), ([(0.7, 1), (0.8, 1)], 0.75, .pass),
            ([(0.749, 1)], 0.749, .warn), ([(0.5, 1)], 0.5, .warn), ([(0.499, 1)], 0.499, .fail),
            ([(1, 3), (0, 1)], 0.75, .pass), ([(40, 1)], 1, .pass), ([(-40, 1)], 0, .fail),
            ([(-0.0, 1)], 0, .fail), ([(1e12, 1e12), (-1e12, 1e12)], 0, .fail), ([(1, 1e-300)], 1, .pass),
        ] as [([(Double, Double)], Double, ScorecardDecision)])
    func score(_ values: [(Double, Double)], _ score: Double, _ decision: ScorecardDecision) {
        let metrics = values.enumerated().map {
            ScorecardMetric(key: "\($0.offset)", value: $0.element.0, weight: $0.element.1)
        }
        let found = ScorecardDecider.score(metrics)
        #expect(found == score && found.sign == .plus)
        #expect(ScorecardDecider.decision(found) == decision)
    }

    private func record(_ request: RecordScorecard, evidenceRun: RunID? = nil) throws -> ScorecardRecorded {
        var request = request
        (request.templateKey, request.templateVersion) = ("quality", "1")
        let draft = try ScorecardDecider.record(
            "scd_1", request, metrics: [ScorecardMetric(key: "a", value: 1)], metricsHash: "sha256:00",
            evidenceRun: evidenceRun, in: "ws", correlationID: "c", facts)
        // Judgements are in the stream of the workspace (API_CORE 2.2).
        #expect(draft.scope.stream == .workspace("ws") && draft.scope.runID == request.runID ?? evidenceRun)
        guard case .review(.scorecardRecorded(let recorded)) = draft.event else { throw Unexpected() }
        return recorded
    }

    private struct Unexpected: Error {}

    @Test("Evidence says which run is judged, and must not be another's")
    func evidence() throws {
        #expect(try record(RecordScorecard(evidenceID: "evd_1"), evidenceRun: "run_1").runID == "run_1")
        #expect(
            try record(RecordScorecard(runID: "run_1", evidenceID: "evd_1"), evidenceRun: "run_1").evidenceID
                == "evd_1")
        #expect(
            reason { _ = try record(RecordScorecard(runID: "run_2", evidenceID: "evd_1"), evidenceRun: "run_1") }
                == .evidenceRunMismatch)
        #expect(try record(RecordScorecard()).runID == nil)
    }

    @Test(
        "A template that asks for evidence gets it, or a word why there is none",
        arguments: [
            (true, nil, nil, .missingEvidenceForTemplate), (true, nil, [:], .missingEvidenceForTemplate),
            (true, nil, ["justification": " "], .missingEvidenceForTemplate),
            (true, nil, ["justification": 1], .missingEvidenceForTemplate),
            (true, nil, ["justification": "by eye"], nil), (true, "evd_1", nil, nil), (false, nil, nil, nil),
            (nil, nil, nil, nil),
        ] as [(Bool?, EvidenceID?, JSONValue?, ReasonCode?)])
    func requiredEvidence(_ isRequired: Bool?, _ id: EvidenceID?, _ metadata: JSONValue?, _ code: ReasonCode?) {
        let request = RecordScorecard(evidenceID: id, requiresEvidence: isRequired, metadata: metadata)
        #expect(reason { try ScorecardDecider.checkEvidence(request) } == code)
    }

    @Test(
        "A lesson has a category, a summary and something it was learned from",
        arguments: [
            (LogLesson(runID: "run_1", summary: "s"), .missingCategory),
            (LogLesson(runID: "run_1", category: "c", summary: " "), .missingSummary),
            (LogLesson(category: "c", summary: "s"), .lessonContextRequired),
            (LogLesson(experimentID: "exp_1", category: "c", summary: "s"), nil),
            (LogLesson(runID: "run_1", category: "c", summary: "s"), nil),
            (LogLesson(scorecardID: "scd_1", category: "c", summary: "s"), nil),
            (LogLesson(incidentID: "inc_1", category: "c", summary: "s"), nil),
        ] as [(LogLesson, ReasonCode?)])
    func lessons(_ request: LogLesson, _ code: ReasonCode?) {
        #expect(
            reason { _ = try LessonDecider.log("les_1", request, in: "ws", correlationID: "c", facts) } == code)
    }
}
