import DatabaseCore
import HTTP
import HTTPServer
import Platform
import Projectors
import Shared

/// Taking back what an event said. The answer leaves when nothing of it is left, as far as this process can see to it.
struct ErasureRoutes: Sendable {
    let environment: APIEnvironment
    let commands: CommandBus
    let blobs: BlobStore
    let problems: ProblemAnswers
    let temporaryDirectory: String

    func mount(on routes: inout RouteTable) { routes.on(.eraseEvent, .operatorOnly, erase) }

    @Sendable private func erase(_ body: EraseEvent, _ context: RequestContext) throws -> Reply {
        let id: EventID = context.id("event_id")
        return commands.run(context, isReplayable: false) { work in
            let (answer, blob) = try work.erase(id, body, context, temporaryDirectory: temporaryDirectory)
            return CommandBus.Outcome(response: try Answers.json(answer)) { deferred, response in
                finish(answer, blob, deferred, response, context)
                return false
            }
        }
    }

    /// After the commit, on the writer's thread.
    private func finish(
        _ answer: ErasureAnswer, _ blob: String?, _ deferred: DeferredReply, _ response: HTTPResponse,
        _ context: RequestContext
    ) {
        var answer = answer
        do {
            if let blob, try !environment.database.read({ try ArtifactTable.isReferenced(blob: blob, $0) }),
                try blobs.remove(blob, in: context.workspace)
            {
                answer.blobsRemoved = 1
            }
        } catch {
            // It is nobody's now, and swept like any other.
            environment.log.warning("an erased artifact's bytes cannot be removed", ["error": .text("\(error)")])
        }
        environment.database.scrub { [answer] isClean in
            var answer = answer
            answer.scrubbed = isClean
            var response = response
            response.body = (try? Answers.json(answer).body) ?? response.body
            deferred.complete(response)
        }
    }
}
