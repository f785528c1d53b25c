import DatabaseCore
import Projectors
import Shared

// What is in another workspace and what is nowhere get the same answer.

func found(_ id: RunID, _ context: RequestContext, _ transaction: any ReadTransaction) throws -> Run {
    guard let run = try RunTable.find(id, in: context.workspace, transaction) else {
        throw Rejection(.runNotFound, "no run \(id.rawValue.prefix(100))")
    }
    return run
}

func found(_ id: StepID, _ context: RequestContext, _ transaction: any ReadTransaction) throws -> Step {
    guard let step = try StepTable.find(id, in: context.workspace, transaction) else {
        throw Rejection(.stepNotFound, "no step \(id.rawValue.prefix(100))")
    }
    return step
}

func found(_ id: ArtifactID, _ context: RequestContext, _ transaction: any ReadTransaction) throws -> Artifact {
    guard let artifact = try ArtifactTable.find(id, in: context.workspace, transaction) else {
        throw Rejection(.artifactNotFound, "no artifact \(id.rawValue.prefix(100))")
    }
    return artifact
}

func found(_ id: RoomID, _ context: RequestContext, _ transaction: any ReadTransaction) throws -> Room {
    guard let room = try RoomTable.find(id, in: context.workspace, transaction) else {
        throw Rejection(.roomNotFound, "no room \(id.rawValue.prefix(100))")
    }
    return room
}
