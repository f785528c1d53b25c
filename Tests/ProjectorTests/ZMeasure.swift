import DatabaseCore
import Platform
import Shared
import Testing
import JSON
@testable import Projectors

struct ZMeasure {
    @Test func measure() throws {
        let history = try History(seed: 1)
        let workspace: WorkspaceID = "ws_dev"
        let start = Timestamp("2026-03-04T05:06:07.089Z")!
        let fat = JSONValue.string(String(repeating: "x", count: 2000))
        _ = try history.database.writeAndWait { tx in
            for n in 0..<100 {
                try ExperimentTable.table.put(Experiment(experimentID: ExperimentID("exp_\(n)"), workspaceID: workspace, title: "t", hypothesis: "h", by: .api, correlationID: "c", at: start), in: tx)
            }
            for n in 0..<10_000 {
                let time = start.adding(milliseconds: Int64(n) * 1000)
                var run = Run(runID: RunID("run_\((n * 7919) % 10_000)"), workspaceID: workspace, correlationID: "c", at: time)
                (run.status, run.title, run.input) = (n % 3 == 0 ? .failed : .succeeded, "t", ["x": fat])
                if n % 2 == 0 { run.experimentID = ExperimentID("exp_\(n % 100)") }
                let later = time.adding(milliseconds: Int64((n * 7919) % 5_000_000))
                run.activityAt = later
                try RunTable.table.put(run, in: tx)
                try EvidenceTable.table.put(Evidence(evidenceID: EvidenceID("evd_\(n)"), workspaceID: workspace, runID: run.runID, runStatus: run.status, correlationID: "c", stream: .workspace(workspace), at: time), in: tx)
                var card = Scorecard(scorecardID: ScorecardID("scd_\(n)"), workspaceID: workspace, templateKey: "k", templateVersion: "1", by: .api, correlationID: "c", at: later)
                (card.runID, card.decision) = (run.runID, .pass)
                try ScorecardTable.table.put(card, in: tx)
                if n % 3 == 0 {
                    var incident = Incident(incidentID: IncidentID("inc_\(n)"), workspaceID: workspace, title: "t", by: .api, correlationID: "c", at: time)
                    incident.runID = run.runID
                    try IncidentTable.table.put(incident, in: tx)
                }
                if n % 200 == 0 {
                    var a = Approval(approvalID: ApprovalID("appr_\(n)"), workspaceID: workspace, action: "a", by: .api, correlationID: "c", at: time)
                    a.runID = run.runID
                    try ApprovalTable.table.put(a, in: tx)
                }
            }
        }
        let clock = SystemClock()
        try history.database.read { tx in
            for cursor in [nil, PipelineCursor(updatedAt: start.adding(milliseconds: 5_000_000), entityType: .run, entityID: "run_5")] {
                var times: [Int64] = []
                for _ in 0..<21 {
                    let begin = clock.monotonicMilliseconds()
                    var count = 0
                    for _ in 0..<10 { count = try PipelineQuery.page(in: workspace, after: cursor, limit: 201, tx).count }
                    times.append(clock.monotonicMilliseconds() - begin)
                    precondition(count == 201)
                }
                times.sort()
                print("MEASURED tenths of ms per page: min \(times[0]) median \(times[10]) max \(times[20])")
            }
        }
    }
}
