import Shared
import Testing

@testable import Domain

struct PipelineTests {
    /// One line of the table: what is known, and where that puts the entity.
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var facts: PipelineFacts
        var place: PipelinePlace?

        init(_ description: String, _ place: PipelinePlace?, _ set: (inout PipelineFacts) -> Void) {
            (testDescription, self.place) = (description, place)
            facts = PipelineFacts(entityID: "x_1", correlationID: "corr", updatedAt: World.start)
            set(&facts)
        }
    }

    private static let evidence = PipelineFacts.Evidence("evd_1", of: "run_1", .succeeded)

    private static func proven(_ decision: ScorecardDecision, _ facts: inout PipelineFacts) {
        facts.run = .init("run_1", .succeeded)
        facts.evidence = evidence
        facts.scorecard = .init(decision, of: "run_1", by: "evd_1")
    }

    private static let cases: [Case] = [
        // 1: archived, whatever else is known.
        Case("closed experiment", nil) { $0.experiment = .closed },
        Case("stopped experiment", nil) { $0.experiment = .stopped },
        Case("closed before incomplete", nil) { ($0.experiment, $0.entityID) = (.closed, "") },
        Case("closed before incident", nil) { ($0.experiment, $0.hasOpenIncident) = (.closed, true) },
        // 2: incomplete.
        Case("no id", .init(.inbox, .missingData)) { $0.entityID = " " },
        Case("no correlation id", .init(.inbox, .missingData)) { $0.correlationID = "" },
        Case("no time", .init(.inbox, .missingData)) { $0.updatedAt = nil },
        Case("incomplete before incident", .init(.inbox, .missingData)) {
            ($0.updatedAt, $0.hasOpenIncident) = (nil, true)
        },
        // 3: incident.
        Case("open incident", .init(.demoted)) { $0.hasOpenIncident = true },
        Case("open incident over a proven pass", .init(.demoted)) {
            proven(.pass, &$0)
            $0.hasOpenIncident = true
        },
        Case("open incident over a cancelled run", .init(.demoted)) {
            ($0.run, $0.hasOpenIncident) = (.init("run_1", .cancelled), true)
        },
        // 4: failed, cancelled.
        Case("failed run", .init(.demoted)) { $0.run = .init("run_1", .failed) },
        Case("failed run before its rejected evidence", .init(.demoted)) {
            $0.run = .init("run_1", .failed)
            $0.evidence = .init("evd_1", of: "run_1", .failed)
        },
        Case("failed run with a pass", .init(.demoted)) {
            proven(.pass, &$0)
            $0.run = .init("run_1", .failed)
        },
        Case("cancelled run", .init(.demoted, .cancelled)) { $0.run = .init("run_1", .cancelled) },
        Case("cancelled run before its failing scorecard", .init(.demoted, .cancelled)) {
            ($0.run, $0.scorecard) = (.init("run_1", .cancelled), .init(.fail))
        },
        Case("cancelled run with an open approval", .init(.demoted, .cancelled)) {
            ($0.run, $0.hasOpenApproval) = (.init("run_1", .cancelled), true)
        },
        // 5: scorecard fails.
        Case("failing scorecard", .init(.demoted)) { $0.scorecard = .init(.fail) },
        Case("failing scorecard of a succeeded run", .init(.demoted)) { proven(.fail, &$0) },
        Case("failing scorecard before rejected evidence", .init(.demoted)) {
            ($0.scorecard, $0.evidence) = (.init(.fail), .init("evd_1", of: "run_1", .failed))
        },
        // 6: rejected evidence.
        Case("rejected evidence", .init(.executeWorkspace)) { $0.evidence = .init("evd_1", of: "run_1", .failed) },
        Case("rejected evidence before a pass", .init(.executeWorkspace)) {
            proven(.pass, &$0)
            $0.evidence = .init("evd_1", of: "run_1", .failed)
        },
        // 7: succeeded and not judged for good.
        Case("succeeded, no scorecard", .init(.reviewEvidence)) { $0.run = .init("run_1", .succeeded) },
        Case("succeeded, warned", .init(.reviewEvidence)) { proven(.warn, &$0) },
        Case("succeeded before an open approval", .init(.reviewEvidence)) {
            ($0.run, $0.hasOpenApproval) = (.init("run_1", .succeeded), true)
        },
        Case("succeeded before an open experiment", .init(.reviewEvidence)) {
            ($0.run, $0.experiment) = (.init("run_1", .succeeded), .open)
        },
        // 8: passed.
        Case("proven", .init(.promoted)) { proven(.pass, &$0) },
        Case("proven, scorecard of no run and no evidence", .init(.promoted)) {
            proven(.pass, &$0)
            $0.scorecard = .init(.pass)
        },
        Case("pass of another run", .init(.reviewEvidence, .ghostEvidenceOrMismatch)) {
            proven(.pass, &$0)
            $0.scorecard = .init(.pass, of: "run_2")
        },
        Case("pass by other evidence", .init(.reviewEvidence, .ghostEvidenceOrMismatch)) {
            proven(.pass, &$0)
            $0.scorecard = .init(.pass, of: "run_1", by: "evd_2")
        },
        Case("pass without evidence", .init(.reviewEvidence, .ghostEvidenceOrMismatch)) {
            proven(.pass, &$0)
            $0.evidence = nil
        },
        Case("pass by evidence of another run", .init(.reviewEvidence, .ghostEvidenceOrMismatch)) {
            proven(.pass, &$0)
            $0.evidence = .init("evd_1", of: "run_2", .succeeded)
        },
        Case("pass without a run", .init(.reviewEvidence, .ghostEvidenceOrMismatch)) { $0.scorecard = .init(.pass) },
        Case("pass of a running run", .init(.reviewEvidence, .ghostEvidenceOrMismatch)) {
            ($0.run, $0.scorecard) = (.init("run_1", .running), .init(.pass))
        },
        // 9: under way.
        Case("queued run", .init(.executeWorkspace)) { $0.run = .init("run_1", .queued) },
        Case("running run", .init(.executeWorkspace)) { $0.run = .init("run_1", .running) },
        Case("running run before its approval", .init(.executeWorkspace)) {
            ($0.run, $0.hasOpenApproval) = (.init("run_1", .running), true)
        },
        Case("warned running run", .init(.executeWorkspace)) {
            ($0.run, $0.scorecard) = (.init("run_1", .running), .init(.warn))
        },
        Case("waiting run", .init(.executeWorkspace)) { $0.run = .init("run_1", .waiting) },
        Case("waiting run with an open approval", .init(.pendingApproval)) {
            ($0.run, $0.hasOpenApproval) = (.init("run_1", .waiting), true)
        },
        // 10, 11, 12.
        Case("open approval", .init(.pendingApproval)) { $0.hasOpenApproval = true },
        Case("open approval before an open experiment", .init(.pendingApproval)) {
            ($0.experiment, $0.hasOpenApproval) = (.open, true)
        },
        Case("open experiment", .init(.inbox)) { $0.experiment = .open },
        Case("nothing known", .init(.inbox, .unmatchedState)) { _ in },
        Case("warning scorecard alone", .init(.inbox, .unmatchedState)) { $0.scorecard = .init(.warn) },
    ]

    @Test("An entity stands where the first rule puts it that holds", arguments: cases)
    func place(_ line: Case) {
        #expect(PipelineRules.place(line.facts) == line.place)
    }

    @Test("Every stage and every diagnostic is reached by some rule")
    func complete() {
        #expect(Set(Self.cases.compactMap { $0.place?.stage }) == Set(PipelineStage.allCases))
        #expect(Set(Self.cases.compactMap { $0.place?.diagnostic }) == Set(PipelineDiagnostic.allCases))
    }

    @Test("The stages' names stand in the order of the work")
    func names() {
        #expect(PipelineStage.allCases.map(\.rawValue) == PipelineStage.allCases.map(\.rawValue).sorted())
        #expect(PipelineEntityType.allCases.map(\.rawValue) == PipelineEntityType.allCases.map(\.rawValue).sorted())
    }
}
