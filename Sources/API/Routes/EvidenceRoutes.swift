import DatabaseCore
import Domain
import HTTP
import HTTPServer
import Projectors
import Shared

struct EvidenceRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus

    func mount(on routes: inout RouteTable) {
        routes.get(.evidence, .engine(action: "run.execute"), show)
        routes.on(.finalizeEvidence, .operatorOnly, finalize)
    }

    @Sendable private func show(_ context: RequestContext) throws -> EvidenceAnswer {
        let id: RunID = context.id("run_id")
        return EvidenceAnswer(
            evidence: try environment.database.read { try found(of: id, in: context.workspace, $0) })
    }

    @Sendable private func finalize(_ body: Nothing, _ context: RequestContext) -> Reply {
        let id: RunID = context.id("run_id")
        return commands.run(context) { work in
            let run = try work.run(id, in: context.workspace)
            let isNew = try !EvidenceTable.exists(of: id, work.transaction)
            if isNew { try work.recordEvidence(of: run, by: context.actor) }
            let evidence = try found(of: id, in: context.workspace, work.transaction)
            let answer = EvidenceFinalizedAnswer(created: isNew, evidence: evidence)
            return .init(response: try Answers.json(answer, isNew ? .created : .ok))
        }
    }

    private func found(of run: RunID, in workspace: WorkspaceID, _ transaction: any ReadTransaction) throws -> Evidence
    {
        guard let evidence = try EvidenceTable.find(of: run, in: workspace, transaction) else {
            throw Rejection(.evidenceNotFound, "no evidence of run \(run.rawValue.prefix(100)): it is made at its end")
        }
        return evidence
    }
}
