import DatabaseCore
import Domain
import Shared
import Testing

@testable import Projectors

/// The pipeline's one statement, against what the tables say row by row.
struct PipelineQueryTests {
    /// The whole pipeline as its definition has it: every table read, every related thing looked for.
    private struct Model {
        var runs: [Run]
        var experiments: [Experiment]
        var approvals: [Approval]
        var scorecards: [Scorecard]
        var evidence: [RunID: Evidence] = [:]
        var incidents: [Incident]

        init(_ workspace: WorkspaceID, _ transaction: any ReadTransaction) throws {
            let mine: SQL = " WHERE workspace_id = \(workspace)"
            runs = try RunTable.table.all(where: mine, in: transaction)
            experiments = try ExperimentTable.table.all(where: mine, in: transaction)
            approvals = try ApprovalTable.table.all(where: mine, in: transaction).filter {
                $0.status == .pending || $0.status == .held
            }
            scorecards = try ScorecardTable.table.all(where: mine, in: transaction)
            for one in try EvidenceTable.table.all(where: mine, in: transaction) { evidence[one.runID] = one }
            incidents = try IncidentTable.table.all(where: mine, in: transaction)
        }

        var entities: [PipelineQuery.Entity] {
            let all =
                runs.map(entity) + experiments.map(entity) + approvals.map(entity)
                + scorecards.filter { $0.runID == nil && $0.experimentID == nil }.map(entity)
            return all.sorted {
                let (left, right) = ($0.item, $1.item)
                if left.updatedAt != right.updatedAt { return left.updatedAt > right.updatedAt }
                return (left.entityType.rawValue, left.entityID) < (right.entityType.rawValue, right.entityID)
            }
        }

        private func entity(_ run: Run) -> PipelineQuery.Entity {
            var item = PipelineItem(
                .run, run.runID.rawValue, title: run.title ?? run.runID.rawValue, status: run.status.rawValue,
                correlationID: run.correlationID, updatedAt: run.updatedAt)
            (item.roomID, item.threadID, item.lastEventID) = (run.roomID, run.threadID, run.lastEventID)
            item.links.experimentID = run.experimentID
            return complete(item, run, [])
        }

        private func entity(_ experiment: Experiment) -> PipelineQuery.Entity {
            var item = PipelineItem(
                .experiment, experiment.experimentID.rawValue, title: experiment.title,
                status: experiment.status.rawValue, correlationID: experiment.correlationID,
                updatedAt: experiment.updatedAt)
            (item.roomID, item.lastEventID) = (experiment.roomID, experiment.lastEventID)
            item.links.experimentID = experiment.experimentID
            let newest = runs.filter { $0.experimentID == experiment.experimentID }
                .max { ($0.createdAt, $0.runID) < ($1.createdAt, $1.runID) }
            return complete(item, newest, scorecards.filter { $0.experimentID == experiment.experimentID })
        }

        private func entity(_ approval: Approval) -> PipelineQuery.Entity {
            var item = PipelineItem(
                .approval, approval.approvalID.rawValue, title: approval.title ?? approval.action,
                status: approval.status.rawValue, correlationID: approval.correlationID, updatedAt: approval.updatedAt)
            (item.roomID, item.threadID, item.lastEventID) = (approval.roomID, approval.threadID, approval.lastEventID)
            item.links.approvalID = approval.approvalID
            let run = runs.first { $0.runID == approval.runID }
            item.links.experimentID = run?.experimentID
            return complete(item, run, [])
        }

        private func entity(_ card: Scorecard) -> PipelineQuery.Entity {
            var item = PipelineItem(
                .scorecard, card.scorecardID.rawValue, title: card.templateKey, status: card.decision.rawValue,
                correlationID: card.correlationID, updatedAt: card.createdAt)
            item.lastEventID = card.lastEventID
            return complete(item, nil, [card])
        }

        private func complete(
            _ entity: PipelineItem, _ run: Run?, _ cards: [Scorecard]
        ) -> PipelineQuery.Entity {
            var item = entity
            let proof = run.flatMap { evidence[$0.runID] }
            let card = (cards + scorecards.filter { run != nil && $0.runID == run?.runID })
                .max { ($0.createdAt, $0.scorecardID) < ($1.createdAt, $1.scorecardID) }
            let incident = incidents.filter { run != nil && $0.runID == run?.runID }
                .max { ($0.updatedAt, $0.incidentID) < ($1.updatedAt, $1.incidentID) }
            let approval = approvals.filter { run != nil && $0.runID == run?.runID }
                .max { ($0.updatedAt, $0.approvalID) < ($1.updatedAt, $1.approvalID) }
            let times = [run?.updatedAt, proof?.updatedAt, card?.createdAt, incident?.updatedAt]
            item.updatedAt = times.compactMap { $0 }.reduce(item.updatedAt, max)
            (item.links.runID, item.links.evidenceID) = (run?.runID, proof?.evidenceID)
            (item.links.scorecardID, item.links.incidentID) = (card?.scorecardID, incident?.incidentID)
            item.links.approvalID = item.links.approvalID ?? approval?.approvalID
            var facts = PipelineFacts(
                entityID: item.entityID, correlationID: item.correlationID, updatedAt: item.updatedAt)
            facts.experiment = experiments.first { $0.experimentID == item.links.experimentID }?.status
            facts.run = run.map { .init($0.runID, $0.status) }
            facts.evidence = proof.map { .init($0.evidenceID, of: $0.runID, $0.runStatus) }
            facts.scorecard = card.map { .init($0.decision, of: $0.runID, by: $0.evidenceID) }
            facts.hasOpenIncident = incident?.status == .open
            facts.hasOpenApproval = item.links.approvalID != nil
            return PipelineQuery.Entity(item: item, facts: facts)
        }
    }

    @Test(
        "A page has what its definition says, and walking the pages gives every entity once",
        arguments: [UInt64(2), 31])
    func exact(_ seed: UInt64) throws {
        let history = try History(seed: seed)
        try history.live(until: 1_500)
        try ask(for: 3, in: history)
        try history.database.read { transaction in
            for workspace in Moment.workspaces {
                let expected = try Model(workspace, transaction).entities
                #expect(Set(expected.map(\.item.entityType)) == Set(PipelineEntityType.allCases))
                let all = try PipelineQuery.page(in: workspace, after: nil, limit: 100_000, transaction)
                #expect(all.count == expected.count)
                for (found, wanted) in zip(all, expected) where found != wanted {
                    Issue.record("found \(found)\nwanted \(wanted)")
                }
                for limit in [7, 200] {
                    var (walked, cursor): ([PipelineQuery.Entity], PipelineCursor?) = ([], nil)
                    while true {
                        let page = try PipelineQuery.page(in: workspace, after: cursor, limit: limit, transaction)
                        #expect(page.count <= limit)
                        walked += page
                        guard let last = page.last else { break }
                        cursor = last.cursor
                    }
                    #expect(walked == all, "in pages of \(limit)")
                }
            }
        }
    }

    /// So many of the latest runs ask for approvals that stay open.
    private func ask(for runs: Int, in history: History) throws {
        let now = Timestamp("2026-03-05T00:00:00.000Z")!
        try history.database.writeAndWait { [log = history.log, dice = history.dice] transaction in
            let moment = Moment(log: log, dice: dice, now: now, transaction: transaction)
            for workspace in Moment.workspaces {
                for run in try RunTable.list(in: workspace, RunTable.Filter(), after: nil, limit: runs, transaction) {
                    for title in ["First", nil] {
                        let request = RequestApproval(action: "external.write", title: title, runID: run.runID)
                        try moment.record(
                            ApprovalDecider.request(
                                moment.id(), request, in: workspace, correlationID: "c", moment.facts))
                    }
                }
            }
        }
    }

    @Test("Pages tell entities of one moment apart, by type and then by identifier")
    func sameMoment() throws {
        let history = try History(seed: 1)
        let time = Timestamp("2026-03-04T05:06:07.089Z")!
        let workspace: WorkspaceID = "ws_dev"
        _ = try history.database.writeAndWait { transaction in
            for id in ["1", "2", "3"] {
                try RunTable.table.put(
                    Run(runID: RunID("run_\(id)"), workspaceID: workspace, correlationID: "c", at: time),
                    in: transaction)
                try ApprovalTable.table.put(
                    Approval(
                        approvalID: ApprovalID("appr_\(id)"), workspaceID: workspace, action: "a", by: .api,
                        correlationID: "c", at: time), in: transaction)
                try ExperimentTable.table.put(
                    Experiment(
                        experimentID: ExperimentID("exp_\(id)"), workspaceID: workspace, title: "t", hypothesis: "h",
                        by: .api, correlationID: "c", at: time), in: transaction)
                try ScorecardTable.table.put(
                    Scorecard(
                        scorecardID: ScorecardID("scd_\(id)"), workspaceID: workspace, templateKey: "k",
                        templateVersion: "1", by: .api, correlationID: "c", at: time), in: transaction)
            }
        }
        try history.database.read { transaction in
            var (walked, cursor): ([String], PipelineCursor?) = ([], nil)
            while let next = try PipelineQuery.page(in: workspace, after: cursor, limit: 1, transaction).first {
                walked.append(next.item.entityID)
                cursor = next.cursor
            }
            #expect(walked == ["appr", "exp", "run", "scd"].flatMap { type in (1...3).map { "\(type)_\($0)" } })
        }
    }

    @Test("A page reads indexes: runs in the order of the page, what belongs to them by key", arguments: [true, false])
    func plan(_ isFirst: Bool) throws {
        let history = try History(seed: 1)
        let cursor = PipelineCursor(updatedAt: .zero, entityType: .run, entityID: "run_1")
        let statement = PipelineQuery.statement(in: "ws_dev", after: isFirst ? nil : cursor, limit: 201)
        let isSQLite = history.database.backend == .sqlite
        let plan = try history.database.read { transaction in
            // Small tables are read whole, whatever indexes they have: it is asked what else could be done.
            if !isSQLite { try transaction.each("SET LOCAL enable_seqscan = off") { _ in true } }
            return try transaction.all(
                SQL(
                    unsafeText: (isSQLite ? "EXPLAIN QUERY PLAN " : "EXPLAIN (COSTS OFF) ") + statement.text,
                    bindings: statement.bindings)
            ) { try $0.get(isSQLite ? "detail" : "QUERY PLAN", as: String.self) }
        }
        for index in [
            "proj_runs_by_activity", "proj_scorecards_alone", "proj_approvals_undecided", "proj_experiments_by_update",
            "proj_runs_by_experiment", "proj_scorecards_by_run", "proj_scorecards_by_experiment",
            "proj_incidents_by_run", "proj_evidence_manifests_by_run",
        ] {
            #expect(
                plan.contains { line in
                    isSQLite ? line.hasPrefix("SEARCH ") && line.contains("INDEX \(index) ") : line.contains(index)
                }, "\(index) in \(plan)")
        }
        #expect(!plan.contains { $0.contains("Seq Scan on proj_") }, "\(plan)")
        // What is scanned is the page itself and what was made for it, never a table or an alias of one.
        let scanned = plan.filter { $0.hasPrefix("SCAN ") }.map { $0.dropFirst(5).prefix { $0 != " " } }
        #expect(scanned.allSatisfy { !$0.hasPrefix("proj_") && $0.count > 1 }, "\(scanned)")
    }
}
