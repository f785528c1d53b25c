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
        let evidence = try environment.database.read { try EvidenceTable.find(of: id, in: context.workspace, $0) }
        guard let evidence else {
            throw Rejection(.evidenceNotFound, "no evidence of run \(id.rawValue.prefix(100)): it is made at its end")
        }
        return EvidenceAnswer(evidence: evidence)
    }

    @Sendable private func finalize(_ body: Nothing, _ context: RequestContext) -> Reply {
        let id: RunID = context.id("run_id")
        return commands.run(context) { work in
            let run = try work.run(id, in: context.workspace)
            let (evidence, isNew) = try work.recordEvidence(of: run, by: context.actor)
            let answer = EvidenceFinalizedAnswer(created: isNew, evidence: evidence)
            return .init(response: try Answers.json(answer, isNew ? .created : .ok))
        }
    }
}
