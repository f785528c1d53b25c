package import JSON

/// All that can happen to an artifact.
package enum ArtifactEvent: EventFamily {
    case created(ArtifactCreated)

    package static let members: [EventMember<ArtifactEvent>] = [
        .init(ArtifactEvent.created)
    ]

    package var payload: any EventPayload {
        switch self {
        case .created(let payload): payload
        }
    }
}

/// A step kept something: inline, or a blob named by its SHA-256.
package struct ArtifactCreated: EventPayload {
    package static let type = "artifact.created"

    package var artifactID: ArtifactID
    package var kind: String
    package var title: String?
    package var mimeType: String?
    package var sizeBytes: Int64?
    package var sha256: String?
    package var content: ArtifactContent?
    package var metadata: JSONValue?

    package init(
        artifactID: ArtifactID, kind: String, title: String? = nil, mimeType: String? = nil, sizeBytes: Int64? = nil,
        sha256: String? = nil, content: ArtifactContent? = nil, metadata: JSONValue? = nil
    ) {
        (self.artifactID, self.kind, self.title, self.mimeType) = (artifactID, kind, title, mimeType)
        (self.sizeBytes, self.sha256, self.content, self.metadata) = (sizeBytes, sha256, content, metadata)
    }
}
