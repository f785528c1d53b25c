import JSON
package import Shared

/// Artifacts: what a step keeps. They may follow the run's end.
package enum ArtifactDecider {
    package static let inlineBytesMax = 256 << 10

    package static func create(
        _ id: ArtifactID, _ request: CreateArtifact, of step: Step, in run: Run, _ facts: CommandFacts
    ) throws(Rejection) -> EventDraft {
        let kind = try Limits.require(request.kind, "kind", bytesMax: Limits.nameBytesMax, .missingKind)
        let created = ArtifactCreated(
            artifactID: id, kind: kind, title: request.title, mimeType: request.mimeType,
            sizeBytes: request.sizeBytes, sha256: request.sha256, content: try content(request.content),
            metadata: request.metadata)
        return EventDraft(
            .artifact(.created(created)), in: step.scope(in: run), by: facts.actor,
            causedBy: step.lastEventID ?? run.lastEventID)
    }

    /// Only the member that belongs to the type is kept.
    private static func content(_ value: JSONValue?) throws(Rejection) -> ArtifactContent? {
        guard let value, !value.isNull else { return nil }
        guard value.objectValue != nil else {
            throw .field("content", .invalidField, "content: expected an object, found \(value.kindName)")
        }
        switch ArtifactContent.Kind(rawValue: value["type"]?.stringValue ?? "") ?? .none {
        case .none: return ArtifactContent(type: .none)
        case .json: return ArtifactContent(type: .json, json: value["json"] ?? .null)
        case .text:
            guard let text = value["text"]?.stringValue else {
                throw .field("content.text", .missingField, "content.text is required for content of type text")
            }
            try Limits.check(text, "content.text", bytesMax: inlineBytesMax)
            return ArtifactContent(type: .text, text: text)
        case .uri:
            let uri = try Limits.require(value["uri"]?.stringValue, "content.uri", bytesMax: Limits.textBytesMax)
            return ArtifactContent(type: .uri, uri: uri)
        }
    }

    package static func evolve(_ artifact: Artifact?, _ recorded: Recorded<ArtifactEvent>) -> Artifact? {
        let envelope = recorded.envelope
        switch recorded.event {
        case .created(let created):
            guard let runID = envelope.runID, let stepID = envelope.stepID else { return artifact }
            var artifact = Artifact(
                artifactID: created.artifactID, workspaceID: envelope.workspaceID, runID: runID, stepID: stepID,
                kind: created.kind, correlationID: envelope.correlationID, at: recorded.at)
            (artifact.roomID, artifact.threadID, artifact.title) = (envelope.roomID, envelope.threadID, created.title)
            (artifact.mimeType, artifact.sizeBytes) = (created.mimeType, created.sizeBytes)
            (artifact.sha256, artifact.metadata) = (created.sha256, created.metadata ?? [:])
            if let content = created.content {
                artifact.contentType = content.type
                (artifact.contentText, artifact.contentURI) = (content.text, content.uri)
                artifact.contentJSON = content.json ?? [:]
            }
            artifact.lastEventID = envelope.eventID
            return artifact
        }
    }
}
