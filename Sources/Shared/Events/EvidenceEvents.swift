package import JSON

/// What proves afterwards what a run did.
package enum EvidenceEvent: EventFamily {
    case manifestCreated(EvidenceManifestCreated)

    package static let members: [EventMember<EvidenceEvent>] = [
        .init(EvidenceEvent.manifestCreated)
    ]

    package var payload: any EventPayload {
        switch self {
        case .manifestCreated(let payload): payload
        }
    }
}

/// The manifest of a run that has ended: its events by hash, and a root over them.
package struct EvidenceManifestCreated: EventPayload {
    package static let type = "evidence.manifest.created"

    package var evidenceID: EvidenceID
    package var runID: RunID
    package var roomID: RoomID?
    package var threadID: ThreadID?
    package var correlationID: String
    package var runStatus: RunStatus
    package var manifest: JSONValue
    package var manifestHash: String
    package var eventHashRoot: String
    package var streamType: StreamType
    package var streamID: String
    package var fromSeq: Int64
    package var toSeq: Int64
    package var eventCount: Int64
    package var finalizedAt: Timestamp

    package init(
        evidenceID: EvidenceID, runID: RunID, roomID: RoomID? = nil, threadID: ThreadID? = nil, correlationID: String,
        runStatus: RunStatus, manifest: JSONValue, manifestHash: String, eventHashRoot: String, streamType: StreamType,
        streamID: String, fromSeq: Int64, toSeq: Int64, eventCount: Int64, finalizedAt: Timestamp
    ) {
        self.evidenceID = evidenceID
        self.runID = runID
        self.roomID = roomID
        self.threadID = threadID
        self.correlationID = correlationID
        self.runStatus = runStatus
        self.manifest = manifest
        self.manifestHash = manifestHash
        self.eventHashRoot = eventHashRoot
        self.streamType = streamType
        self.streamID = streamID
        self.fromSeq = fromSeq
        self.toSeq = toSeq
        self.eventCount = eventCount
        self.finalizedAt = finalizedAt
    }
}
